//! Dialplans: any text, with tables after NUL bytes (a line with the name, then the rows), is a dialplan or has errors that point into
//! it; the same text gives the same again.

use crate::dialplan::{Dialplan, DialplanSource, Severity};

/// Checks one input.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split('\0');
    let mut source = DialplanSource::inline("plan.yaml", parts.next().unwrap_or_default());
    for (name, table) in parts.filter_map(|part| part.split_once('\n')) {
        source.tables.insert(name.to_owned(), table.to_owned());
    }
    // As YAML counts them: a bare carriage return ends a line, too.
    let lines = source.text.lines().count() + source.text.matches('\r').count() + 1;
    match Dialplan::from_source(source.clone()) {
        Ok(plan) => {
            assert!(plan.warnings().iter().all(|w| w.severity == Severity::Warning));
            assert!(plan.languages().contains(&plan.language()));
            assert!(!plan.phrases().is_empty(), "a dialplan that says nothing");
            let again =
                Dialplan::from_source(plan.source().clone()).expect("it was free of errors");
            assert_eq!(again.content_hash(), plan.content_hash());
            assert_eq!(again.phrases(), plan.phrases());
        }
        Err(found) => {
            assert!(found.iter().any(|f| f.severity == Severity::Error));
            for f in &found {
                assert!(f.line >= 1 && f.column >= 1 && !f.what.is_empty() && !f.remedy.is_empty());
                assert!(f.file != "plan.yaml" || f.line <= lines, "{f}");
            }
        }
    }
}
