//! What differs between two texts, line by line.

/// Lines shown before and after a difference.
const CONTEXT: usize = 3;
/// Lines of a text beyond which the difference is not sought, but all of it shown as changed.
const MOST: usize = 8_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Both(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// The difference in the unified format, the texts being called `from` and `to`; empty when there is none.
pub(super) fn unified(from: (&str, &str), to: (&str, &str)) -> String {
    let ((from, old), (to, new)) = (from, to);
    let lines = compared(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let changed: Vec<usize> =
        (0..lines.len()).filter(|at| !matches!(lines[*at], Line::Both(_))).collect();
    let Some(&first) = changed.first() else { return String::new() };
    let mut out = format!("--- {from}\n+++ {to}\n");
    let mut hunk = (first.saturating_sub(CONTEXT), first);
    for at in changed {
        if at > hunk.1 + 2 * CONTEXT {
            write_hunk(&mut out, &lines, hunk.0, hunk.1);
            hunk.0 = at - CONTEXT;
        }
        hunk.1 = at;
    }
    write_hunk(&mut out, &lines, hunk.0, hunk.1);
    out
}

fn write_hunk(out: &mut String, lines: &[Line<'_>], from: usize, last: usize) {
    let hunk = &lines[from..(last + 1 + CONTEXT).min(lines.len())];
    let old = |lines: &[Line<'_>]| lines.iter().filter(|l| !matches!(l, Line::New(_))).count();
    let new = |lines: &[Line<'_>]| lines.iter().filter(|l| !matches!(l, Line::Gone(_))).count();
    let before = &lines[..from];
    // A side without lines begins where it would, counted from 0.
    let begin = |before: usize, count: usize| if count == 0 { before } else { before + 1 };
    let (olds, news) = (old(hunk), new(hunk));
    let (at_old, at_new) = (begin(old(before), olds), begin(new(before), news));
    out.push_str(&format!("@@ -{at_old},{olds} +{at_new},{news} @@\n"));
    for line in hunk {
        let (mark, text) = match line {
            Line::Both(text) => (' ', text),
            Line::Gone(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        out.push(mark);
        out.push_str(text);
        out.push('\n');
    }
}

/// The longest common subsequence, after equal beginnings and ends are set aside.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, end) = old_rest.split_at(old_rest.len() - tail);
    let b = &new_rest[..new_rest.len() - tail];
    let mut lines: Vec<Line<'a>> = old[..head].iter().map(|line| Line::Both(line)).collect();
    if a.len() > MOST || b.len() > MOST || a.len() * b.len() > MOST * MOST / 4 {
        lines.extend(a.iter().map(|line| Line::Gone(line)));
        lines.extend(b.iter().map(|line| Line::New(line)));
    } else {
        middle(a, b, &mut lines);
    }
    lines.extend(end.iter().map(|line| Line::Both(line)));
    lines
}

fn middle<'a>(a: &[&'a str], b: &[&'a str], lines: &mut Vec<Line<'a>>) {
    let width = b.len() + 1;
    // common[i * width + j]: lines that a[i..] and b[j..] have in common.
    let mut common = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let at = i * width + j;
            common[at] = match a[i] == b[j] {
                true => common[at + width + 1] + 1,
                false => common[at + width].max(common[at + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let at = i * width + j;
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push(Line::Both(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[at + width] >= common[at + 1]) {
            lines.push(Line::Gone(a[i]));
            i += 1;
        } else {
            lines.push(Line::New(b[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_differs_in_nothing() {
        assert_eq!(unified(("a", "x\ny\n"), ("b", "x\ny\n")), "");
    }

    #[test]
    fn a_change_is_shown_with_what_stands_around_it() {
        let old: Vec<String> = (1..=20).map(|n| format!("line {n}")).collect();
        let mut new = old.clone();
        new[9] = "another line".into();
        new.push("line 21".into());
        let shown = unified(("old", &old.join("\n")), ("new", &new.join("\n")));
        let expected = "--- old\n+++ new\n@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+another line\n line 11\n \
                        line 12\n line 13\n@@ -18,3 +18,4 @@\n line 18\n line 19\n line 20\n+line 21\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_text_may_be_empty() {
        assert_eq!(unified(("a", ""), ("b", "x")), "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
    }

    proptest::proptest! {
        #[test]
        fn the_lines_of_both_texts_are_all_there(
            old in proptest::collection::vec("[abc]", 0..12), new in proptest::collection::vec("[abc]", 0..12)
        ) {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            let lines = compared(&old, &new);
            let kept = |gone: bool| -> Vec<&str> {
                lines.iter().filter_map(|line| match line {
                    Line::Both(text) => Some(*text),
                    Line::Gone(text) => gone.then_some(*text),
                    Line::New(text) => (!gone).then_some(*text),
                }).collect()
            };
            proptest::prop_assert_eq!(kept(true), old);
            proptest::prop_assert_eq!(kept(false), new);
        }
    }
}
