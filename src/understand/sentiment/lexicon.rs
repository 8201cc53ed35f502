//! Words that callers of hotlines use when they are pleased or angry.

use std::{collections::HashMap, sync::LazyLock};

use super::units;
use crate::text::Lang;

/// What a word or phrase does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Entry {
    /// It weighs so much, anger below zero.
    Weight(f32),
    /// It negates what follows.
    Negation,
    /// It makes what follows stronger.
    Emphasis,
    /// It only looks like another: 不是 of a correction.
    Nothing,
}

/// Phrases of a language by their units.
pub(super) struct Lexicon {
    entries: HashMap<Vec<String>, Entry>,
    longest: usize,
}

/// Phrases by weight, separated by bars.
const EN: [(f32, &str); 9] = [
    (
        -2.0,
        "fuck|fucking|fucked|bullshit|screw you|go to hell|scam|scammers|scammed|fraud|crooks|thieves|rip off|ripped off|ripping me off|con artists|liars|you are lying|youre lying|lied to me|stealing my money|sue you|suing you|take you to court|see you in court|my lawyer|my attorney|a lawyer|an attorney|lawyers|legal action|better business bureau|consumer protection|ombudsman|go to the press|all over social media",
    ),
    (
        -1.5,
        "ridiculous|outrageous|unacceptable|disgusting|disgraceful|disgrace|pathetic|absurd|a joke|incompetent|idiots|idiot|stupid|shit|crap|bloody|damn|goddamn|furious|livid|pissed|pissed off|fed up|sick of|sick and tired|had enough|i hate|worst|terrible|horrible|awful|useless|worthless|supervisor|your manager|a manager|your boss|file a complaint|make a complaint|formal complaint|lodge a complaint|cancel everything|shame on you|nightmare|theft|losing my patience|done with you|what kind of company|report you|dont you dare|what the hell|what is wrong with you|are you kidding|are you kidding me|you must be joking",
    ),
    (
        -1.0,
        "complaint|complain|angry|annoyed|annoying|frustrated|frustrating|frustration|upset|disappointed|disappointing|unhappy|dissatisfied|unbelievable|insane|crazy|nonsense|waste of time|wasting my time|waste my time|not listening|dont listen|never listen|nobody helps|no one helps|nobody cares|no one cares|hung up on me|hang up on me|keep hanging up|rude|lousy|appalling|shocking|sick|for gods sake|for heavens sake|for christs sake|good grief|bad service|poor service|doesnt work at all|stop wasting|straight answer|never call back|never calls back|never calls me back|nobody ever|no one ever|nobody will|are you even listening|never do what",
    ),
    (
        -0.7,
        "again and again|over and over|how many times|third time|fourth time|fifth time|three times already|twice already|still waiting|been waiting|waiting for hours|waiting for weeks|for weeks|for ages|taking forever|come on|seriously|bad|wrong again|not good enough|not acceptable|not fair|unfair|confusing|confused|worried|i already told you|i just told you|i told you|already said|i said that already|youre not understanding|you dont understand|not helpful|not what i asked|thats not what i said|you promised|you people|my money back|how can you|still isnt|still not",
    ),
    (
        -0.4,
        "problem again|broken|unfortunately|sorry but|too slow|too long|too expensive|overcharged|wrong bill",
    ),
    (0.4, "thanks|thank you|good|nice|fine|cool|no problem|no worries|okay great|alright thanks"),
    (
        0.8,
        "great|impressed|a star|satisfied|glad|happy|pleased|helpful|appreciate|appreciated|kind of you|works now|that works|lovely|thanks a lot|thank you so much|thank you very much|many thanks",
    ),
    (
        1.2,
        "perfect|excellent|super|works perfectly|made my day|i love|love how|wonderful|fantastic|awesome|amazing|brilliant|love it|very helpful|best service|you are the best|youre the best",
    ),
    (
        0.0,
        "how are you|good morning|good afternoon|good evening|good day|goodbye|good bye|bad debt|thank you for calling|fine arts|my manager asked",
    ),
];
const NEGATIONS_EN: &str = "not|no|never|dont|doesnt|didnt|isnt|arent|wasnt|werent|cant|cannot|couldnt|wont|wouldnt|nothing|hardly|without|aint|havent|hasnt|far from";
const EMPHASES_EN: &str =
    "very|so|really|absolutely|totally|completely|extremely|such|incredibly|just|too|utterly";

const ZH: [(f32, &str); 9] = [
    (
        -2.0,
        "骗子|骗人|抢钱|诈骗|骗钱|坑人|坑钱|黑心|强盗|流氓|无赖|混蛋|王八蛋|他妈|妈的|傻逼|滚蛋|去死|有病吧|神经病|脑子有病|12315|一二三一五|幺二三幺五|12345|消协|消费者协会|工商局|银保监|律师|起诉|告你们|告你|法院|法庭见|打官司|曝光|媒体|记者|报警|发到网上|发微博|发抖音",
    ),
    (
        -1.5,
        "投诉|举报|说话不算数|不算数|不像话|太过分|过分|岂有此理|荒唐|恶心|无耻|缺德|忽悠|糊弄|敷衍|推卸责任|踢皮球|推来推去|没人管|没人理|受不了|受够了|忍无可忍|气死|火大|发火|愤怒|垃圾|废物|白痴|蠢|笨死|什么玩意|什么东西|什么态度|什么服务|态度恶劣|态度差|最差|烂透|领导|主管|经理|负责人|别废话|少废话|废话|扯淡|胡说|瞎说|搞什么|搞什么鬼|开什么玩笑|你耍我|耍我|骚扰|别再打",
    ),
    (
        -1.0,
        "生气|恼火|没耐心|不干了|这么差|不接受|念稿|破系统|破公司|什么破|一点用|兜圈子|忍你们|忍很久|烦死|烦人|真烦|太烦|好烦|不耐烦|不满意|不满|不高兴|失望|讨厌|差劲|太差|很差|真差|离谱|坑|乱扣费|乱收费|多扣|没用|没有用|没解决|解决不了|一直不解决|到现在都没|浪费时间|浪费我时间|听不懂人话|你听不懂|听不明白吗|骗我|不负责|不讲理|莫名其妙|郁闷|崩溃|服了|无语|真是的|怎么回事啊你们",
    ),
    (
        -0.7,
        "打了好几遍|八百遍|多少遍|退钱|没见过这么|再也不|谁给我解决|两次钱|打了三遍|打了好多|打了几次|第三次|第四次|第五次|又来了|又是这样|等了半天|等了好久|等了一个|等很久|还没到|还没好|说了多少遍|说过了|我说了|跟你说了|刚说过|都说了|着急|急死|拖了|一拖再拖|到底|凭什么|为什么总是|总是这样|太慢|慢死|麻烦死|太麻烦|不公平|不合理|不行吗|错了又错|还是不对|不是这个意思",
    ),
    (-0.4, "太贵|贵死|有问题|出错|不好用|不太好|算了|怎么又"),
    (0.4, "谢谢|多谢|感谢|麻烦你了|辛苦了|好的谢谢|不错|挺好|可以啊|没问题"),
    (
        0.8,
        "太好了|很好|方便了|真好|满意|高兴|开心|放心了|帮了大忙|帮大忙|谢谢你啊|非常感谢|太谢谢|辛苦你了|清楚了谢谢",
    ),
    (1.2, "贴心|点个赞|非常满意|特别满意|太棒|真棒|完美|好极了|厉害|给力|点赞|服务真好|态度真好"),
    (
        0.0,
        "不是|是不是|要不要|能不能|可不可以|好不好|行不行|对不对|有没有|律师费|经理说|好的|不然|要不然|不仅|不光|这不是|不就是|可不是",
    ),
];
const NEGATIONS_ZH: &str = "不|没|没有|别|不是|不要|不用|不想|并非|无";
const EMPHASES_ZH: &str = "太|真|真是|非常|特别|超级|极其|实在|简直|完全|好";

static LEXICON_EN: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::new(Lang::En, &EN, NEGATIONS_EN, EMPHASES_EN));
static LEXICON_ZH: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::new(Lang::Zh, &ZH, NEGATIONS_ZH, EMPHASES_ZH));

/// The words of a language.
pub(super) fn of(lang: Lang) -> &'static Lexicon {
    match lang {
        Lang::En => &LEXICON_EN,
        Lang::Zh => &LEXICON_ZH,
    }
}

impl Lexicon {
    fn new(lang: Lang, weights: &[(f32, &str)], negations: &str, emphases: &str) -> Self {
        let mut entries = HashMap::new();
        let mut add = |phrases: &str, entry: Entry| {
            for phrase in phrases.split('|') {
                entries.insert(units(lang, phrase), entry);
            }
        };
        add(emphases, Entry::Emphasis);
        for (weight, phrases) in weights {
            add(phrases, if *weight == 0.0 { Entry::Nothing } else { Entry::Weight(*weight) });
        }
        // 不是 negates, and is nothing by itself.
        add(negations, Entry::Negation);
        let longest = entries.keys().map(Vec::len).max().unwrap_or(0);
        Self { entries, longest }
    }

    /// The longest phrase that `units` begin with, and how many of them it has.
    pub(super) fn longest(&self, units: &[String]) -> Option<(usize, Entry)> {
        let most = self.longest.min(units.len());
        (1..=most)
            .rev()
            .find_map(|length| self.entries.get(&units[..length]).map(|entry| (length, *entry)))
    }
}
