use super::{Scope, fields::Fields};
use crate::dialplan::{
    model::{NodeKind, Part, Template, Transfer, TransferMode},
    yaml::Yaml,
};

use std::time::Duration;

/// How long the callee rings, where the node does not say.
const RING: Duration = Duration::from_secs(30);

impl Scope<'_> {
    /// `transfer: TARGET` with what is said before it and where the call goes when it fails.
    pub(super) fn transfer(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("transfer")?;
        let to = self.target_of(yaml);
        let say = fields.get("say").map(|y| self.prompt(y, "`say`"));
        let barge_in = self.barge_in(fields);
        let mode = fields.get("mode").map_or(Some(TransferMode::Bridge), |y| self.mode(y));
        let ring = fields.get("ring").map_or(Some(RING), |y| self.report.duration(y, "`ring`"));
        let failed = self.required_node(fields, "failed", flow);
        let other = |name| match fields.get(name) {
            Some(yaml) => self.node(yaml, Some(flow)),
            None => failed,
        };
        let (busy, no_answer) = (other("busy"), other("no_answer"));
        Some(NodeKind::Transfer(Box::new(Transfer {
            to: to?,
            say,
            barge_in,
            mode: mode?,
            ring: ring?,
            busy: busy?,
            no_answer: no_answer?,
            failed: failed?,
        })))
    }

    /// A number or a SIP URI; either may hold values.
    fn target_of(&self, yaml: &Yaml) -> Option<Template> {
        let text = self.report.text(yaml, "`transfer`")?;
        let template = self.template(text, yaml.at);
        let fixed = |part: &Part| match part {
            Part::Words(words) => words.clone(),
            Part::Value { .. } => "0".to_owned(),
            Part::Mark(_) => String::new(),
        };
        let sample: String = template.parts.iter().map(fixed).collect();
        let number = sample.strip_prefix('+').unwrap_or(&sample);
        let is_number = !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
        let is_uri = ["sip:", "sips:"].iter().any(|scheme| sample.starts_with(scheme))
            && sample.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"?".contains(&b));
        if !is_number && !is_uri {
            self.report.error(
                yaml.at,
                format!("`transfer` to `{text}`, which is neither a number nor a SIP URI"),
                "write it like `\"4002\"`, `\"+493012345\"` or `sip:desk@pbx.example`",
            );
            return None;
        }
        Some(template)
    }

    fn mode(&self, yaml: &Yaml) -> Option<TransferMode> {
        match self.report.text(yaml, "`mode`")? {
            "bridge" => Some(TransferMode::Bridge),
            "attended" => Some(TransferMode::Attended),
            "refer" => Some(TransferMode::Refer),
            other => {
                let remedy = "write `bridge` (Hotline stays in the call), `attended` or `refer`";
                self.report.error(yaml.at, format!("no mode `{other}`"), remedy);
                None
            }
        }
    }
}
