use super::{Lang, sentences::end_of_sentence};

/// What the first piece and later ones may grow to, in characters, before they are cut between clauses: somebody waits
/// for the first.
const LONG_EN: (usize, usize) = (100, 200);
const LONG_ZH: (usize, usize) = (24, 60);
/// Fewest characters of a piece that ends between clauses.
const CLAUSE_EN: usize = 20;
const CLAUSE_ZH: usize = 6;
/// No piece is longer, whatever is in it.
const LONGEST: usize = 400;

/// Cuts text that is still being written into sentences, each as soon as it is known to be whole, so that the first can
/// be spoken while the rest is written. A long sentence is cut between its clauses.
#[derive(Debug, Clone)]
pub struct SentenceStream {
    lang: Lang,
    pending: String,
    any: bool,
}

impl SentenceStream {
    /// A text in `lang` of which nothing is there yet.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        Self { lang, pending: String::new(), any: false }
    }

    /// Takes what was written next; gives the sentences that are now whole, without surrounding space.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.pending.push_str(text);
        let mut found = Vec::new();
        while let Some(end) = self.end_of_piece() {
            let rest = self.pending.split_off(end);
            let piece = std::mem::replace(&mut self.pending, rest);
            let piece = piece.trim();
            if piece.chars().any(char::is_alphanumeric) {
                self.any = true;
                found.push(piece.to_owned());
            }
        }
        found
    }

    /// The text is complete: gives what is left of it.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.pending);
        let rest = rest.trim();
        rest.chars().any(char::is_alphanumeric).then(|| rest.to_owned())
    }

    /// The end of the first piece, when what follows cannot change it any more.
    fn end_of_piece(&self) -> Option<usize> {
        // Whether a full stop ends a sentence is seen from what follows.
        let goes_on = |end: &usize| !self.pending[*end..].trim_start().is_empty();
        match end_of_sentence(self.lang, &self.pending) {
            Some(end) => Some(end).filter(goes_on),
            None => self.end_of_clause(),
        }
    }

    fn end_of_clause(&self) -> Option<usize> {
        let ((first, later), least) = match self.lang {
            Lang::En => (LONG_EN, CLAUSE_EN),
            Lang::Zh => (LONG_ZH, CLAUSE_ZH),
        };
        let length = self.pending.chars().count();
        if length < if self.any { later } else { first } {
            return None;
        }
        let mut last = None;
        let mut space = None;
        let mut chars = self.pending.char_indices().enumerate().peekable();
        while let Some((count, (at, c))) = chars.next() {
            let end = at + c.len_utf8();
            let next = chars.peek().map(|(_, (_, next))| *next);
            let mark = match c {
                '，' | '；' | '：' => next.is_some(),
                ',' | ';' | ':' => next.is_some_and(char::is_whitespace),
                _ => false,
            };
            if mark && count + 1 >= least {
                last = Some(end);
            }
            if c.is_whitespace() && count + 1 >= least {
                space = Some(end);
            }
        }
        last.or_else(|| (length > LONGEST).then(|| space.unwrap_or(self.pending.len())))
    }
}

/// `text` as it can be spoken: without the marks by which it would be set in print, and without pictures.
#[must_use]
pub fn plain(text: &str) -> String {
    let bullet = text.trim_start().trim_start_matches(['#', '>', '-', '•', '–']);
    let keep = |c: &char| {
        !matches!(c, '*' | '`' | '#' | '\u{fe0f}' | '\u{200d}')
            && !matches!(u32::from(*c), 0x2600..=0x27BF | 0x1F000..=0x1FAFF)
    };
    let spoken: String =
        bullet.chars().filter(keep).map(|c| if c == '\n' { ' ' } else { c }).collect();
    spoken.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes `text` in pieces of `size` characters; what came of each, and of the end.
    fn written(lang: Lang, text: &str, size: usize) -> Vec<String> {
        let mut stream = SentenceStream::new(lang);
        let chars: Vec<char> = text.chars().collect();
        let mut found: Vec<String> = Vec::new();
        for piece in chars.chunks(size.max(1)) {
            found.extend(stream.push(&piece.iter().collect::<String>()));
        }
        found.extend(stream.finish());
        found
    }

    #[test]
    fn a_sentence_is_given_as_soon_as_the_next_begins() {
        let mut stream = SentenceStream::new(Lang::En);
        assert!(stream.push("You owe 132").is_empty());
        assert!(stream.push(".48 dollars. ").is_empty());
        assert_eq!(stream.push("It is"), ["You owe 132.48 dollars."]);
        assert!(stream.push(" due on Friday").is_empty());
        assert_eq!(stream.finish().as_deref(), Some("It is due on Friday"));
        assert_eq!(stream.finish(), None);
    }

    #[test]
    fn how_it_is_cut_does_not_depend_on_how_it_comes() {
        let text = "Mr. Reed owes 1.50 dollars. Is that right? Yes! No. 5 is free";
        let whole = ["Mr. Reed owes 1.50 dollars.", "Is that right?", "Yes!", "No. 5 is free"];
        for size in 1..text.len() {
            assert_eq!(written(Lang::En, text, size), whole, "{size}");
        }
        assert_eq!(
            written(Lang::Zh, "可以的。您要带身份证！还有什么吗？", 1),
            ["可以的。", "您要带身份证！", "还有什么吗？"]
        );
    }

    #[test]
    fn a_long_first_sentence_is_cut_between_its_clauses() {
        let long = "If you have moved house in the last four weeks, you can still keep the old number that you had there before.";
        let mut stream = SentenceStream::new(Lang::En);
        let first = long.char_indices().find_map(|(at, _)| {
            stream.push(&long[at..=at]).first().map(|first| (at, first.clone()))
        });
        let (at, first) = first.unwrap();
        assert_eq!(first, "If you have moved house in the last four weeks,");
        assert!(at < 102, "{at}");
        let zh = written(
            Lang::Zh,
            "如果您在过去四周内搬过家，您还是可以保留原来的号码，不用再付钱。",
            1,
        );
        assert_eq!(zh[0], "如果您在过去四周内搬过家，");
    }

    #[test]
    fn text_without_any_mark_is_cut_all_the_same() {
        let pieces = written(Lang::En, &"word ".repeat(400), 7);
        assert!(
            pieces.len() > 3 && pieces.iter().all(|piece| piece.chars().count() <= LONGEST + 7)
        );
    }

    #[test]
    fn marks_of_print_are_not_spoken() {
        for (printed, spoken) in [
            ("**Yes**, `now`.", "Yes, now."),
            ("- First thing.", "First thing."),
            ("## Prices\nNone.", "Prices None."),
            ("Sure 😀!", "Sure !"),
            ("A 5-6 day trip.", "A 5-6 day trip."),
        ] {
            assert_eq!(plain(printed), spoken);
        }
    }

    proptest! {
        #[test]
        fn every_letter_survives_in_order(text in any::<String>(), size in 1..20_usize) {
            for lang in [Lang::En, Lang::Zh] {
                let letters = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
                prop_assert_eq!(letters(&written(lang, &text, size).concat()), letters(&text));
            }
        }
    }
}
