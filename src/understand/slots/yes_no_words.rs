//! The words of yes and no.

use super::yes_no::Vote::{self, Hush, No, Quote, Restart, Yes};

/// How much a word weighs against others in the same utterance.
pub(super) const EXPLICIT: u8 = 3;
pub(super) const PHRASE: u8 = 2;
/// Courtesy: counts only when the utterance says nothing else ("no, that's okay" is no).
pub(super) const WEAK: u8 = 1;

/// A vote, its weight and the phrases that cast it, normalised, with `|` between them.
pub(super) type Group = (Vote, u8, &'static str);

/// English phrases, words one space apart, matched at word boundaries, longest first.
pub(super) const EN: &[Group] = &[
    (Quote, 0, "i said|i say|i told you"),
    (Restart, 0, "wait|i meant|hold on|hang on|actually|i mean|scratch that|sorry no"),
    (
        Hush,
        0,
        "i dont know|dont know|dunno|not sure|im not sure|no idea|maybe|dont mind|\
         are you sure|say again|is that right|am i right|is it ok|right now|right away|\
         all right then bye|excuse me|you know|no one|no matter|right hand|right side|\
         turn right|the right|my right",
    ),
    (
        Yes,
        EXPLICIT,
        "yes|yeah|yep|yup|yea|ya|yah|uh huh|uhuh huh|mm hmm|mhm|mmhmm|correct|\
         thats correct|thats right|that is right|thats it|youre right|you are right|\
         you got it|affirmative|absolutely|definitely|certainly|of course|indeed|exactly|\
         sure|for sure|sure thing|no problem|not a problem|no worries|no doubt|why not|\
         totally|you bet|by all means|thats true|true|aye|oui",
    ),
    (
        Yes,
        PHRASE,
        "i guess|i guess so|i think so|i believe so|i suppose|i suppose so|go ahead|\
         please do|do it|sounds good|sounds great|works for me|that works|\
         that would be great|thatd be great|id like that|id love to|i do|i am|i did|\
         i have|it is|it does|i would|i will|i can|thats fine|fine by me|fine with me|\
         yes please|lets do it|lets do that|i agree|agreed|speaking|this is she|\
         this is he|thats me|its me|im happy with that|go for it",
    ),
    (
        Yes,
        WEAK,
        "ok|okay|okey|alright|all right|right|good|great|fine|perfect|cool|please|mm|hmm|\
         k",
    ),
    (
        No,
        EXPLICIT,
        "no|nope|nah|naw|nay|uh uh|nuh uh|no way|not really|negative|incorrect|\
         not correct|not right|thats wrong|wrong|thats not it|thats not right|\
         absolutely not|definitely not|certainly not|of course not|not exactly|\
         not at all|not true|never|no thanks|no thank you|not quite|no no|not me|false|\
         not yet|not yes|disagree|i disagree",
    ),
    (
        No,
        PHRASE,
        "i dont think so|i dont believe so|dont think so|i guess not|i think not|i dont|\
         i do not|dont|do not|didnt|did not|doesnt|does not|isnt|is not|its not|\
         it is not|im not|i am not|cant|cannot|can not|wont|will not|wouldnt|would not|\
         havent|have not|rather not|not now|not today|forget it|never mind|nevermind|\
         cancel|not interested|not necessary|stop|not that|not this|i refuse|im good|\
         im fine|not the|none|nothing",
    ),
];

/// Chinese phrases, matched anywhere, longest first. Single characters and the words marked in
/// [`ALONE`] count only when nothing but particles and other known words stands around them.
pub(super) const ZH: &[Group] = &[
    (Quote, 0, "我说|我说了|我刚说|我刚才说"),
    (Restart, 0, "我说错了|我说的是|等等|等一下|等下|我是说|说错了|口误"),
    (
        Hush,
        0,
        "不好意思|对不起|不客气|不知道|不清楚|不太清楚|不太确定|不太明白|不太懂|听不懂|\
         不懂|不确定|不一定|不好说|说不好|没听清|没听懂|没听见|没听明白|听不清|听不见|\
         不明白|不过|没关系|对不对|是不是|好不好|行不行|可不可以|能不能|有没有|要不要|\
         可以不可以|对吗|是吗|好吗|行吗|可以吗|对吧|好像|好多|你好|您好|好久|要是|可是|\
         但是|还是|不光|不但|不仅|银行|行业|对于|对面|对方|随便|也许|可能|不得不|差不多|\
         是什么|是谁|是多少|是哪|好了吗|有吗|要不|没收到",
    ),
    (
        Yes,
        EXPLICIT,
        "是|是的|是啊|是呀|是呢|是滴|是我|我是|是本人|我就是|就是我|正是|对|对的|对啊|\
         对呀|对对|对对对|没错|没有错|不错|正确|确认|确定|可以|可以的|同意|没问题|\
         没有问题|当然|肯定|必须的|愿意|接受|说得对|没说错|不是不可以|是这样|说对了|\
         当然可以|对头|要得|满意|没意见|没有意见|不反对|是这么回事|错不了",
    ),
    (
        Yes,
        PHRASE,
        "需要|要的|我要|想要|有的|我有|能|能的|方便|行的|好呀|好啊|好吧|好嘞|好哒|行吧|\
         行啊|挺好|很好|太好了|那好|那行|成交|有|要|得|中|成|妥|妥了|也行|都行|也可以|\
         办吧|就这样|就这么办|好的|好好|好好好|行|好",
    ),
    (Yes, WEAK, "嗯|恩|嗯嗯|嗯哼|唔|哦|噢|啊|哎|诶|欸|ok|okay|yes|yeah"),
    (
        No,
        EXPLICIT,
        "不|不是|不是的|不对|不对的|不行|不可以|不同意|不可能|不正确|错|错了|不愿意|\
         不接受|拒绝|否|没有|没|没有的|不要|不用|不用了|不需要|不必|不必了|不了|不想|\
         不能|算了|免了|不好|不成|不中|不得行|不方便|不满意|不确认|没门|才不|并不|不准确|\
         打错了|不认识|搞错了|弄错了|不是我|我不是|不太|不怎么|没空|不够|no|nope|不想要|\
         不大|不算",
    ),
    (No, PHRASE, "别|别打|别发|别再|别了|否定|甭|不办|取消|没时间|不会|没法|不记得|忘了|停"),
];

/// Chinese words of more than one character that are also parts of ordinary sentences.
pub(super) const ALONE: &str = "需要|我要|想要|我有|方便|满意|确认|确定|我是|没有|不能|接受|取消|不会|是我|不好|\
     停|是这样";

/// Chinese characters that may stand around a single-character answer.
pub(super) const PARTICLES: &str =
    "啊呀哇呢吧嘛的了哦哈呗哒嗯呃额唉哎诶欸那就我也都哟喔呐滴嘞先再谢这您你";

/// English words that carry nothing beside a courtesy answer.
pub(super) const EN_FILLERS: &str = "um|uh|er|erm|ah|oh|well|so|then|that|thats|is|its|it|the|and|just|i|a|thanks|\
     thank|you|very|much|sounds|really|for|me|yes|dear|hey|hello|hi";
