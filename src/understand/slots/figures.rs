//! Numbers in words as figures, so that grammars of money, dates and times see one way of writing.

use super::{figures_en::english, figures_zh::chinese};
use crate::text::{Lang, simplify};

/// The utterance in lower case with every number in figures: "the twenty seventh of may" is `the 27th of may`,
/// 十一月二十七号 is 11月27号, "two thirty" is `2 30`, 一万二 is 12000. English words stand one space apart.
pub(super) fn in_figures(lang: Lang, heard: &str) -> String {
    match lang {
        Lang::En => english(heard),
        Lang::Zh => chinese(&simplify(heard)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn english_numbers_become_figures() {
        for (said, figures) in [
            ("The twenty-seventh of May", "the 27th of may"),
            ("two thirty", "2 30"),
            ("a hundred and thirty two dollars and forty eight cents", "132 dollars and 48 cents"),
            ("sixty six twenty four", "66 24"),
            ("one thousand two hundred and five", "1205"),
            ("$1,205.10, please", "$1205.10 please"),
            ("the first and the 2nd", "the 1th and the 2th"),
            ("two million three hundred thousand", "2300000"),
            ("nine oh five", "9 oh 5"),
            ("$48.2 million", "$48200000"),
            ("10k", "10000"),
            ("3 hundred and 21 dollars", "321 dollars"),
            ("4 thousand 3 hundred and 21", "4321"),
            ("3 dozen eggs", "36 eggs"),
            ("a cat and a dog", "a cat and a dog"),
        ] {
            assert_eq!(in_figures(Lang::En, said), figures, "{said}");
        }
    }

    #[test]
    fn chinese_numbers_become_figures() {
        for (said, figures) in [
            ("十一月二十七号", "11月27号"),
            ("一千二百块五", "1200块5"),
            ("两千三百六", "2360"),
            ("一万二", "12000"),
            ("三百零五", "305"),
            ("二〇二六年", "2026年"),
            ("1.2万", "12000"),
            ("等一下，下周三", "等一下,下周3"),
            ("下午两点半", "下午2点半"),
            ("１０００元", "1000元"),
        ] {
            assert_eq!(in_figures(Lang::Zh, said), figures, "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), said in "[零一二两三九十百千万亿点0-9.,一下]{0,24}", words in "((one|and|a|twenty|hundred|thousand|million|first|oh|9|2nd) ?){0,12}") {
            for text in [text, said, words] {
                in_figures(Lang::En, &text);
                in_figures(Lang::Zh, &text);
            }
        }
    }
}
