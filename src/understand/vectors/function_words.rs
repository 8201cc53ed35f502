//! Words that say little about what a caller wants.

use std::{collections::HashSet, sync::LazyLock};

use crate::text::Lang;

static EN_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| EN.split('|').collect());
static ZH_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| ZH.split('|').collect());

const EN: &str = "a|an|the|i|im|id|ive|ill|me|my|mine|you|your|youre|we|our|us|it|its|this|that|\
     thats|these|those|is|are|am|was|were|be|been|being|do|does|did|doing|have|has|had|can|could|\
     will|would|should|shall|may|might|must|to|of|in|on|at|for|from|with|by|about|and|or|but|so|\
     if|as|than|then|there|here|please|thanks|thank|hi|hello|hey|um|uh|er|erm|ah|oh|well|just|\
     like|okay|ok|yes|yeah|no|need|want|wanna|would|get|got|give|tell|know|let|lets|some|any|all|\
     what|whats|which|who|whos|how|hows|why|when|where|go|going|gonna|make|help|good|morning|\
     afternoon|evening|sir|madam|really|very|also|too|now|not|dont|cant|doesnt|isnt|wont|up|out|\
     one|something|anything|much|many|more|find|looking|trying|try|question|wondering|possible|able";

const ZH: &str = "我|你|您|他|她|它|们|我们|你们|您们|咱们|自己|的|了|吗|呢|吧|啊|呀|嘛|哦|嗯|呃|哎|喂|\
     是|在|有|和|与|或|也|都|就|还|又|再|才|很|太|这|那|这个|那个|这边|那边|这里|那里|哪|什么|怎么|怎样|\
     怎么样|怎么办|为什么|为啥|啥|咋|如何|多少|几|谁|能|能不能|可以|可不可以|会|想|要|想要|需要|得|应该|请|\
     请问|麻烦|谢谢|你好|您好|一下|一个|一些|一点|一|个|给|帮|帮我|帮忙|替|让|把|被|对|对于|关于|到|去|来|\
     从|向|跟|为|因为|所以|但是|如果|不|没|没有|不是|是不是|有没有|行不行|好|好的|行|问|问下|问问|想问|\
     咨询|知道|告诉|说|看看|看|下|里|上|查|查查|查询|办|办理|现在|今天|明天|顺便|就是|然后|不知道|直接|先|该|呗|的话|时候";

/// For each unit, whether it is (part of) a function word; the longest known word counts.
pub(in crate::understand) fn function_mask(lang: Lang, units: &[String]) -> Vec<bool> {
    match lang {
        Lang::En => units.iter().map(|word| EN_WORDS.contains(word.as_str())).collect(),
        Lang::Zh => chinese_mask(units),
    }
}

fn chinese_mask(units: &[String]) -> Vec<bool> {
    let mut mask = vec![false; units.len()];
    for at in 0..units.len() {
        for length in (1..=4.min(units.len() - at)).rev() {
            let word = units[at..at + length].concat();
            if ZH_WORDS.contains(word.as_str()) {
                mask[at..at + length].fill(true);
                break;
            }
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_what_remains() {
        let units: Vec<String> = "我想要余额".chars().map(String::from).collect();
        assert_eq!(function_mask(Lang::Zh, &units), [true, true, true, false, false]);
    }
}
