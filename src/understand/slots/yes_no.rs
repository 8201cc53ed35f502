use super::yes_no_words::{ALONE, EN, EN_FILLERS, PARTICLES, WEAK, ZH};
use crate::text::{Lang, is_hanzi, normalize};

/// What a phrase says about the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vote {
    /// Affirms.
    Yes,
    /// Denies.
    No,
    /// Looks like a yes or no and is neither: "I don't know", 不好意思.
    Hush,
    /// Repeats what was said earlier: "yes, I said no onions".
    Quote,
    /// Takes back what was said before: "wait", 等等.
    Restart,
}

/// Whether the caller, asked a yes/no question, said yes (`true`) or no (`false`); `None` when the
/// words do not tell.
///
/// Negated phrases count as a whole (不可以 and "not really" are no; 没错 and "no problem" are yes).
/// Of several answers the most explicit wins ("no, that's fine" is no), then the last
/// ("no wait yes" is yes).
#[must_use]
pub fn yes_no(lang: Lang, heard: &str) -> Option<bool> {
    let votes = match lang {
        Lang::En => votes_en(&normalize(lang, heard)),
        Lang::Zh => votes_zh(heard),
    };
    let quoted = votes.iter().position(|(vote, _)| *vote == Vote::Quote).unwrap_or(votes.len());
    // What follows "I said" repeats something; the answer is what came before it, if any.
    let votes = if decide(&votes[..quoted]).is_some() { &votes[..quoted] } else { &votes[..] };
    let after_restart = votes.rsplit(|(vote, _)| *vote == Vote::Restart).next().unwrap_or_default();
    // "yes, actually" restarts and then says nothing: the words before still stand.
    decide(after_restart).or_else(|| decide(votes))
}

fn decide(votes: &[(Vote, u8)]) -> Option<bool> {
    let answers = votes.iter().filter(|(vote, _)| matches!(vote, Vote::Yes | Vote::No));
    answers.max_by_key(|(_, weight)| *weight).map(|(vote, _)| *vote == Vote::Yes)
}

fn votes_en(heard: &str) -> Vec<(Vote, u8)> {
    let words: Vec<&str> = heard.split(' ').filter(|word| !word.is_empty()).collect();
    let mut votes = Vec::new();
    let mut content = 0;
    let mut at = 0;
    while at < words.len() {
        let Some((length, vote, weight)) = longest_en(&words[at..]) else {
            content += usize::from(!EN_FILLERS.split('|').any(|filler| filler == words[at]));
            at += 1;
            continue;
        };
        votes.push((vote, weight));
        at += length;
    }
    // "the right number please" is no answer; "that's good, thanks" is one.
    votes.retain(|(_, weight)| *weight != WEAK || content <= 1);
    votes
}

/// The longest phrase at the start of `words`: its length in words, vote and weight.
fn longest_en(words: &[&str]) -> Option<(usize, Vote, u8)> {
    let mut longest: Option<(usize, Vote, u8)> = None;
    for (vote, weight, phrases) in EN {
        for phrase in phrases.split('|') {
            let length = phrase.split(' ').count();
            let here =
                words.len() >= length && phrase.split(' ').eq(words[..length].iter().copied());
            if here && longest.is_none_or(|(best, ..)| length > best) {
                longest = Some((length, *vote, *weight));
            }
        }
    }
    longest
}

/// One stretch of a Chinese utterance: a known word, or a character that is none.
struct Stretch {
    vote: Option<(Vote, u8)>,
    /// Counts only when [`Stretch::is_open`] holds on both sides.
    alone: bool,
    /// Words may stand beside it without making a sentence.
    open: bool,
}

fn votes_zh(heard: &str) -> Vec<(Vote, u8)> {
    let mut votes = Vec::new();
    // Punctuation, where the recogniser writes it, bounds what a word can belong to.
    for clause in heard.split(|c: char| !c.is_alphanumeric()) {
        votes.extend(votes_in_clause(&normalize(Lang::Zh, clause)));
    }
    votes
}

/// Questions that are made of an answer and its contrary.
const ZH_ASKING: [&str; 5] = ["行不行", "可不可以", "可以不可以", "能不能", "行吗"];

fn votes_in_clause(clause: &str) -> Vec<(Vote, u8)> {
    // 两点半行不行 and 可不可以 ask; they answer nothing.
    if ZH_ASKING.iter().any(|words| clause.contains(words)) {
        return Vec::new();
    }
    let stretches = stretches(clause);
    let mut votes = Vec::new();
    for (at, stretch) in stretches.iter().enumerate() {
        let Some(vote) = stretch.vote else { continue };
        let open_before = at == 0 || stretches[..at].iter().rev().take(2).all(|s| s.open);
        let open_after = stretches[at + 1..].iter().take(2).all(|s| s.open);
        if !stretch.alone || (open_before && open_after) {
            votes.push(vote);
        }
    }
    votes
}

fn stretches(clause: &str) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut rest = clause;
    while let Some(c) = rest.chars().next() {
        let Some((word, vote, weight)) = longest_zh(rest) else {
            let open = PARTICLES.contains(c) || !c.is_alphanumeric();
            found.push(Stretch { vote: None, alone: false, open });
            rest = &rest[c.len_utf8()..];
            continue;
        };
        let single = word.chars().nth(1).is_none();
        found.push(Stretch {
            vote: Some((vote, weight)),
            alone: single && is_answer(vote) || ALONE.split('|').any(|alone| alone == word),
            open: vote != Vote::Hush,
        });
        rest = &rest[word.len()..];
    }
    found
}

fn is_answer(vote: Vote) -> bool {
    matches!(vote, Vote::Yes | Vote::No)
}

/// The longest word at the start of `text`; Latin words only whole.
fn longest_zh(text: &str) -> Option<(&'static str, Vote, u8)> {
    let mut longest: Option<(&'static str, Vote, u8)> = None;
    for (vote, weight, words) in ZH {
        for word in words.split('|') {
            let whole = || {
                let next = text[word.len()..].chars().next();
                word.chars().all(is_hanzi) || next.is_none_or(|c| !c.is_ascii_alphanumeric())
            };
            if text.starts_with(word)
                && longest.is_none_or(|(best, ..)| word.len() > best.len())
                && whole()
            {
                longest = Some((word, *vote, *weight));
            }
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_of_equal_answers_wins() {
        assert_eq!(yes_no(Lang::En, "No, wait, yes."), Some(true));
        assert_eq!(yes_no(Lang::Zh, "是的，哦不是"), Some(false));
    }

    #[test]
    fn a_question_answers_nothing() {
        for text in ["两点半行不行", "可不可以晚一点", "能不能改天", "三点行吗"]
        {
            assert_eq!(yes_no(Lang::Zh, text), None, "{text}");
        }
        assert_eq!(yes_no(Lang::Zh, "行，就这样"), Some(true));
    }

    #[test]
    fn courtesy_does_not_turn_a_no_around() {
        assert_eq!(yes_no(Lang::En, "no, that's okay"), Some(false));
        assert_eq!(yes_no(Lang::Zh, "不用了，嗯"), Some(false));
    }

    #[test]
    fn parts_of_other_words_are_no_answers() {
        assert_eq!(yes_no(Lang::Zh, "我的银行卡"), None);
        assert_eq!(yes_no(Lang::En, "I know the notice"), None);
    }

    proptest! {
        #[test]
        fn punctuation_around_an_answer_changes_nothing(
            left in "[ ,.!，。…]{0,3}",
            right in "[ ,.!，。…？]{0,3}",
        ) {
            prop_assert_eq!(yes_no(Lang::Zh, &format!("{left}没错{right}")), Some(true));
            prop_assert_eq!(yes_no(Lang::En, &format!("{left}not really{right}")), Some(false));
        }

        #[test]
        fn any_text_is_an_answer_or_none(text in any::<String>()) {
            for lang in [Lang::En, Lang::Zh] {
                let _ = yes_no(lang, &text);
            }
        }
    }
}
