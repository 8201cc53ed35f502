//! Asking for a person instead of the machine, in the many ways callers do.

use std::sync::OnceLock;

use fancy_regex::Regex;

use crate::text::{Lang, normalize};

/// Who is asked for in English.
const WHO: &str = "(?:(?:live|real|actual|human|service|support|sales|billing|care|customer) )*\
     (?:agents?|representatives?|reps?|operators?|humans?(?: beings?)?|persons?|people|somebody|\
     someone|anybody|anyone|advis[eo]rs?|associates?|consultants?|specialists?|supervisors?|\
     managers?|colleagues?|staff|employees?|receptionist|attendant|clerk|customer \
     (?:service|care|support|services)|support|boss|director|whoever is in charge|\
     whoever is responsible|(?:\\w+ )?(?:team|department)|service desk|help ?desk|front desk)";
/// What may stand between the verb and who is asked for.
const GAP: &str = "(?:(?:to|with|a|an|the|any|some|one|of|your|you|my|me|us|on|up|over|through|\
     back|please|just|next|available|first|member|real|live|actual|living|breathing|different|\
     other|another|customer|in|hold|right|straight|directly|maybe|like|kind|nice|human|\
     proper) ){0,6}";
/// What may follow them: not a noun, which would make "operator license" of the operator.
const AFTER: &str = "(?=$| (?:please|already|now|on|to|who|that|there|here|right|instead|for|\
     about|with|\
     in|at|from|because|not|i|this|of|and|or|thanks|thank|real|alive|available|else|then|today|\
     would|will|\
     asap|quickly|immediately|as|so|can|could|if|your|you|human|regarding|me)\\b)";

/// English requests; `WHO`, `GAP` and `AFTER` stand for the lists above.
const EN: &[&str] = &[
    // Nothing but the one who is asked for.
    "^(?:(?:please|hi|hello|hey|yes|yeah|no|ok|okay|just|a|an|the|um|uh|er|well|some|now|i said) )*\
     WHO(?: WHO)*(?: (?:please|now|thanks|thank you|thank|you|already|real|right))*$",
    // Speaking to one.
    "(?<!about to )\\b(?:speak|talk|chat|deal|word|get through|\
     get in touch)(?: directly| please| right now)? \
     (?:to|with) GAPWHOAFTER",
    "\\b(?:prefer|mind|better|easier|happier|like|love|possible|rather|want|keen on)(?: \\w+){0,3} \
     (?:talking|speaking|chatting|dealing) (?:to|with) GAPWHOAFTER",
    "\\b(?:who|whom) (?:can|could|do|should|may) i (?:speak|talk)\\b",
    "\\b(?:somebody|someone|anybody|anyone|person|human|people) (?:\\w+ ){0,2}i (?:can|could|\
     may) (?:speak|talk)",
    // Being put through.
    "\\b(?:transfer|redirect|forward) (?:me|my call|this call|the call)\\b",
    "\\b(?:put|patch|get|call|let) me (?:straight |right |directly )?through\\b",
    "\\b(?:connect|pass|hand|switch|route|send|put|move|bring|get|give|find|fetch|want|refer|\
     direct|hook) \
     (?:me|us)(?: on| up| over| back| across| along| straight| through)?(?: to| with)? GAPWHOAFTER",
    "\\b(?:be|get) (?:transferred|connected|forwarded|put through) (?:over )?(?:to|\
     with) GAPWHOAFTER",
    "\\b(?:be|get) transferred to (?:customer|support|billing|sales|service)\\b",
    "\\b(?:put|get) (?:them|him|her|GAPWHO)(?: else)?(?: \\w+){0,2} on\\b",
    "\\blet me (?:have|reach|see|get|speak|talk)(?: to)? GAPWHOAFTER",
    "\\b(?:pass|hand) me (?:over|on)\\b",
    // Wanting one.
    "\\b(?:i|im|we|id|ill|can|could|may|lemme|gonna|please|just|rather)(?: \\w+){0,3} \
     (?:need|want|like|have|prefer|get|reach|ask for|asking for|\
     wanna)(?: \\w+)? GAP(?<!\\bof )WHOAFTER(?! (?:to|that|who) (?:fix|come|read|look|repair))",
    "\\bwant (?:a|an) (?:\\w+ )?(?:human|person|agent|representative|operator)\\b",
    "^get (?:me )?GAPWHOAFTER",
    "^(?:give|find|fetch|call|bring)(?: me)? GAPWHOAFTER",
    "\\b(?:can|could|would|may|let|have|will|is there) GAPWHO (?:\\w+ )?(?:call me through|take over|take this|pick up)\\b",
    "\\b(?:is|are) there GAPWHO(?= (?:\\w+ )?(?:i|there|here|alive|available|around|at|to talk|\
     to speak|who can help|free|on)\\b|$| please)",
    // Not wanting the machine.
    "\\b(?:stop|no more|hate|dont (?:like|want)|not)(?: \\w+){0,3} (?:robots?|machines?|bots?|\
     computers?|recordings?|ai)\\b(?=.*\\bWHO\\b)",
    "^no (?:more )?(?:robots?|machines?|bots?)(?: please)?$",
    "\\bWHO (?:\\w+ )?help (?:me|us)(?: please| instead| out| here| now)*$",
    "\\b(?:help|assistance|support|explanation) from (?:GAP)WHO(?: who| that|AFTER)",
    "\\b(?:can|could|would|will|may|let|have|please) GAPWHO (?:please )?(?:call|take over|\
     take this|take it|(?:help|assist)(?: me| us)?(?: out| please| instead| with this| here| now)*$|\
     explain|pick up|answer|speak|talk|listen|handle|look into|ring)\\b",
    "^(?:please )?(?:somebody|someone|anybody|anyone)(?: please)? (?:pick up|answer|help|talk)\\b",
    "\\b(?:cant|dont|wont|not|hate|tired of|stop)(?: \\w+){0,4} (?:with|to) (?:a|this|the|\
     your)? ?(?:robot|machine|bot|computer|recording)s?\\b",
    "\\b(?:is|isnt) (?:anybody|anyone|somebody|someone) (?:there|here|alive|available|home)\\b",
    "\\bescalate (?:this|it|me|my|the)\\b",
    // Naming one in few words, where nothing says that it is about one.
    "^(?!.*\\b(?:was|were|told|said|says|came|comes|promised|talked|spoke|called|sent|gave|did|\
     had|rude|\
     good|great|error|hours|what|whats|when|whose|name|number|salary|earn|paid|are you|is this|\
     am i|\
     do you|do i|my \\w*agent|wrong|hurt|another|last|\
     yesterday)\\b)(?:\\w+ ){0,9}?(?<!estate )(?<!insurance )(?<!travel )(?<!property )\
     (?:(?:live|real|actual) (?:person|people|human)|human(?: being)?|agent|representative|rep|\
     operator|\
     supervisor|advis[eo]r|customer (?:service|care|support)(?: rep)?)AFTER(?: \\w+){0,6}$",
    "\\bWHO(?: please| real)* (?:and )?not (?:a |an |the |this )?(?:robot|machine|bot|computer|\
     recording)",
];

/// What only looks like a request in English.
const NOT_EN: &str = "\\b(?:(?:are|were) you (?:a |an |really )|am i (?:talking|speaking)|\
     do (?:i|you) need|\
     what (?:is|are|does|hours)|hours (?:is|are)|whats)\\b";

/// Who is asked for in Chinese.
const ZH_WHO: &str = "(?:人工(?!费|湖|智能|审核|降|饲|成本|流产|呼吸|授|关节)|真人|活人|大活人|\
     客服(?!电话|态度|岗|几点|上次|中心的?地址|怎么|说)|坐席|座席|工作人员|主任|组长|班长|值班室|\
     办公室|总机|服务台|投诉部|客服部|业务员|接线员|接线生|\
     话务员|专员(?!岗)|专人|\
     经理(?!的|签)|主管|领导(?!送|签|汇报)|负责人|负责的?人|值班(?:的)?(?:人员|同志|人|领导|员)?|(?:你们?的?|\
     其他|其它|别的|另外的?)同事|服务人员|\
     服务员|客户经理|人员|小姐姐|总台|前台|(?:你们?的?)?老板)";

/// Chinese requests.
const ZH: &[&str] = &[
    // Nothing but the one who is asked for.
    "^(?:喂|你好|您好|嗯|那个|呃|我说|请|麻烦|就|快)*(?:WHO(?:服务|客服|台|热线|坐席|座席|人员)*)+\
     (?:呢|谢谢|谢了|吧|啊|呀|行吗|好吗|可以吗|在吗|在不在|有吗|有没有|快点|一下)*$",
    // Being put through, or one being called.
    "(?:转|接|找|换|叫|请|喊|让|派|安排|连|联系|打到|切换?|拨|呼叫|调|给我个?|帮我个?|要|需要)\
     (?!.{0,6}(?:应聘|招))[^，。]{0,6}?WHO(?!.{0,4}(?:上门|几点|电话是|来过|没来|骂))",
    "(?:跟|和|同|与|由)[^，。]{0,6}?WHO[^，。]{0,3}(?:讲|说|聊|谈|话|沟通|对话|反映)",
    "WHO(?:在吗|在不在|有没有空|接一?下|来接|帮我|帮忙|处理|解决|听一?下|服务$)",
    "(?:有|有没有)WHO(?:吗|么|能|可以|帮|在|接|$)",
    // A person: 人 alone is in too many words to stand without what is wanted of it.
    "(?:能不能|可不可以|可以|能|想|要|麻烦)[^，。]{0,2}(?:有|找|来|派|安排|让)个?人(?:来)?(?:跟|\
     和|给|帮)我",
    "(?:想|要|愿意|只)(?:听|跟|和|同|与|找)(?:个|一个|真正的?|真|活|正常的?|大?活)*人(?:说|讲|聊|\
     谈|沟通|对话|$)",
    "(?:别|不要)(?:再)?(?:用|拿|让)(?:这个)?(?:机器|电脑|录音|智能)",
    "(?:叫|让|请|喊|换|找|要|接|转)(?:给|到|一下)?(?:你们?(?:那边|这边)?的?)[^，。]{0,4}(?:的人|\
     领导|主任|办公室)",
    "(?:^|我|帮|请|烦|快|接|要|就|的)转(?:一?下|给|接)?(?:个|到|别)?(?:的)?人(?=$|吧|工|啊|来|听)",
    "(?:跟|和|找|换|叫|让|派|请|喊|要|来|安排)(?:个|一个|一位|位|其他|别的|别|能|会|有|\
     你们?(?:那边|这边)?(?:的)?|管事的?|懂行?的?|明白|说话|说得上话|做主|的)*\
     (?:人|说话的|做主的|懂的|管事的)(?:来|给我|帮我|跟我|和我|直接|过来|当面)*(?:说|讲|聊|谈|听|\
     接|问|处理|弄|解释|解决|帮|联系|来|$)",
    "(?:有没有|有|没有)(?:个|活|真)*人(?:在)?(?:吗|么|可以|能|帮|接|听|管|理|$)(?!.{0,4}(?:冒充|\
     敲))",
    "(?:你们|你们?那边|那边|这边)有人(?:吗|么|在)",
    // Not wanting the machine.
    "(?:不要|不想|别|不愿意?|讨厌|不跟|不和)[^，。]{0,3}(?:机器人?|智能|电脑|语音|录音|\
     ai)(?:客服|讲|说|聊|话|废话|啰嗦|浪费|了|服务|$)",
    // Naming one in few words, where nothing says that it is about one.
    "^(?!.*(?:态度|电话|上次|昨天|上周|几点|多久|上班|下班|岗|应聘|招|工资|骂|答应|说过|跟我说|\
     告诉|来过|\
     你是|你们是|费|叫什么|工号|评价|满意|谢谢你们的))[^，。]{0,9}(?:人工(?!费|湖|智能|审核|降|\
     饲|成本|流产|呼吸|授|关节)|\
     真人|活人|客服|坐席|座席|接线员|话务员)[^，。]{0,5}$",
];

/// What only looks like a request in Chinese.
const NOT_ZH: &str = "时间|晚上|半夜|夜里|周末|礼拜|星期|跟人谈好|应聘|招聘|招人|我找不到|没有?人敲|^你(?:是|们是)(?:真人|机器人|人工)(?:吗|\
     么|吧|还是[^，。]*)?$";

/// Whether the caller asks for a person: "get me somebody real", 别绕了，转人工. Speaking of persons
/// does not count: "the agent was rude", 人工费多少钱.
#[must_use]
pub fn asks_for_person(lang: Lang, heard: &str) -> bool {
    static EN_FORMS: OnceLock<Forms> = OnceLock::new();
    static ZH_FORMS: OnceLock<Forms> = OnceLock::new();
    let heard = normalize(lang, heard);
    let forms = match lang {
        Lang::En => EN_FORMS.get_or_init(|| Forms::new(EN, WHO, NOT_EN)),
        Lang::Zh => ZH_FORMS.get_or_init(|| Forms::new(ZH, ZH_WHO, NOT_ZH)),
    };
    forms.fit(&heard)
}

/// Requests, and what only looks like one.
struct Forms {
    requests: Vec<Regex>,
    others: Option<Regex>,
}

impl Forms {
    fn new(requests: &[&str], who: &str, others: &str) -> Self {
        let fill =
            |form: &&str| form.replace("WHO", who).replace("GAP", GAP).replace("AFTER", AFTER);
        // Every pattern compiles: a test sees to it.
        let requests = requests.iter().map(fill).filter_map(|form| Regex::new(&form).ok());
        Self { requests: requests.collect(), others: Regex::new(others).ok() }
    }

    /// A pattern that gives up on a strange text does not fit it.
    fn fit(&self, heard: &str) -> bool {
        let finds = |form: &Regex| form.is_match(heard).unwrap_or(false);
        !self.others.as_ref().is_some_and(finds) && self.requests.iter().any(finds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(Forms::new(EN, WHO, NOT_EN).requests.len(), EN.len());
        assert_eq!(Forms::new(ZH, ZH_WHO, NOT_ZH).requests.len(), ZH.len());
        assert!(Regex::new(NOT_EN).is_ok() && Regex::new(NOT_ZH).is_ok());
    }

    #[test]
    fn a_person_is_asked_for() {
        for text in ["Operator!", "I want to speak to a human.", "put me through", "live person"] {
            assert!(asks_for_person(Lang::En, text), "{text}");
        }
        for text in ["转人工", "我要找你们经理", "有人吗", "我不想跟机器人说话"]
        {
            assert!(asks_for_person(Lang::Zh, text), "{text}");
        }
    }

    #[test]
    fn speaking_of_persons_is_not_asking_for_one() {
        for text in ["the agent was rude", "are you a real person", "two people live here", ""] {
            assert!(!asks_for_person(Lang::En, text), "{text}");
        }
        for text in ["人工费多少钱", "你是真人吗", "我一个人住", ""] {
            assert!(!asks_for_person(Lang::Zh, text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_accepted(text in "\\PC{0,80}") {
            let _ = asks_for_person(Lang::Zh, &text);
            let _ = asks_for_person(Lang::En, &text);
        }
    }
}
