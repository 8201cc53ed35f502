use super::{Scope, fields::Fields};
use crate::dialplan::{model::Sentiment, yaml::Yaml};

impl Scope<'_> {
    /// `sentiment:` with what is done about callers who turn negative.
    pub(super) fn read_sentiment(&self, yaml: &Yaml) -> Sentiment {
        let fields = Fields::new(self.report, yaml, "`sentiment`");
        let apologise = fields.get("apologise").map(|y| self.prompt(y, "`apologise`"));
        let offer = fields.get("offer").and_then(|y| self.node(y, None));
        fields.finish();
        Sentiment { apologise, offer }
    }
}
