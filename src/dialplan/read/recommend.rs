use super::{Scope, fields::Fields};
use crate::dialplan::{
    error::did_you_mean,
    expression::Operand,
    model::{Ask, Grade, NodeKind, Offering, Prompt, Recommendation},
    yaml::{Kind, Yaml},
};

impl Scope<'_> {
    /// `offers:`, what may be recommended, by name.
    pub(super) fn read_offers(&self, yaml: &Yaml) -> Vec<Recommendation> {
        let entries = self.report.map(yaml, "`offers`").iter();
        let offers = entries.filter_map(|(key, yaml)| {
            let fields = Fields::new(self.report, yaml, format!("offer `{}`", key.name));
            let remedy = "write the question by which it is offered: `pitch: …`";
            let pitch = fields.require("pitch", remedy).map(|y| self.prompt(y, "`pitch`"));
            let flag = |value: &Operand| matches!(value, Operand::Flag(_));
            let when = fields.get("when");
            let when = when.map(|y| self.formula(y, "`when`", "true or false", flag));
            let whole = |value: &Operand| matches!(value, Operand::Whole(_));
            let score = fields.get("score");
            let score = score.map(|y| self.formula(y, "`score`", "a whole number", whole));
            let grade = fields.get("grade").map(|y| self.grade_of(y));
            fields.finish();
            Some(Recommendation {
                name: key.name.clone(),
                pitch: pitch?,
                when: optional(when)?,
                score: optional(score)?,
                grade: optional(grade)?,
            })
        });
        offers.collect()
    }

    fn grade_of(&self, yaml: &Yaml) -> Option<Grade> {
        let text = self.report.text(yaml, "`grade`")?;
        let grade = Grade::of(text);
        if grade.is_none() {
            self.report.error(yaml.at, format!("no grade of risk `{text}`"), "write R1 to R5");
        }
        grade
    }

    /// `offer: all`, or a list of offers, with those who get none.
    pub(super) fn offering(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("offer")?;
        let among = self.among(yaml);
        let remedy = "say who wants no offers, such as `unless: \"customer.no_offers == 'yes'\"`";
        let unless = fields.require("unless", remedy);
        let flag = |value: &Operand| matches!(value, Operand::Flag(_));
        let unless = unless.and_then(|y| self.formula(y, "`unless`", "true or false", flag));
        let grade = fields.get("grade");
        let grade = grade.and_then(|y| Some(self.template(self.report.text(y, "`grade`")?, y.at)));
        let graded = among.iter().find(|at| self.offers[**at].grade.is_some());
        if let Some(at) = graded.filter(|_| grade.is_none()) {
            let what = format!("offer `{}` has a grade of risk", self.offers[*at].name);
            let remedy = "say where that of the caller stands: `grade: \"{customer.grade}\"`";
            self.report.error(yaml.at, what, remedy);
        }
        let slot = fields.get("slot").and_then(|y| self.slot_name(y));
        let none = self.required_node(fields, "none", flow);
        let wants = self.yes_no(fields, flow);
        let no_input = fields.get("wait").and_then(|y| self.report.duration(y, "`wait`"));
        let routes = self.routes(fields, Some(flow));
        let ladders = self.ladders(fields, Some(flow));
        let barge_in = self.barge_in(fields);
        let wants = wants?;
        self.check_keys(fields.at, &wants, &routes);
        let ask = Prompt::default();
        Some(NodeKind::Offer(Box::new(Offering {
            among,
            grade,
            unless: unless?,
            slot,
            none: none?,
            ask: Ask { ask, barge_in, wants, routes, no_input, ladders },
        })))
    }

    /// The places of the offers that `yaml` names.
    fn among(&self, yaml: &Yaml) -> Vec<usize> {
        if let Kind::Scalar(word) = &yaml.kind
            && word == "all"
        {
            return (0..self.offers.len()).collect();
        }
        let names = self.report.list(yaml, "`offer`").iter();
        let places = names.filter_map(|y| {
            let name = self.report.text(y, "an offer's name")?;
            let place = self.offers.iter().position(|offer| offer.name == name);
            if place.is_none() {
                let known = self.offers.iter().map(|offer| offer.name.as_str());
                self.report.error(y.at, format!("no offer `{name}`"), did_you_mean(name, known));
            }
            place
        });
        places.collect()
    }
}

/// What is not written is nothing; what is written and wrong leaves nothing to go on with.
fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}
