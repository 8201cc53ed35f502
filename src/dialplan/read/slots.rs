use super::{Scope, fields::Fields};
use crate::{
    dialplan::{
        error::did_you_mean,
        model::{ChoiceOption, Given, Slot, SlotKind},
        yaml::{Kind, Yaml},
    },
    understand::{CodeForm, DigitCheck, DigitSpec},
};

const TYPES: [&str; 12] = [
    "digits", "yes_no", "choice", "number", "money", "date", "time", "text", "counter", "plate",
    "postcode", "code",
];
/// The largest number that callers say without being told a range.
const LARGEST: i64 = 999_999_999;

impl Scope<'_> {
    /// One entry of `slots:`: a type's name, or a map with `type` and what belongs to it.
    pub(super) fn slot(&self, name: &str, yaml: &Yaml) -> Option<Slot> {
        if let Kind::Scalar(kind) = &yaml.kind {
            return match simple(kind) {
                Some(kind) => Some(Slot { kind, sensitive: false, given: false }),
                None => self.unknown_type(kind, yaml),
            };
        }
        let fields = Fields::new(self.report, yaml, format!("slot `{name}`"));
        let kind_yaml = fields.require("type", "say what callers give: `type: digits`")?;
        let kind = match self.report.text(kind_yaml, "`type`")? {
            "digits" => self.digits(&fields),
            "choice" => self.choice(name, &fields),
            "number" => self.number(&fields),
            kind @ ("postcode" | "code") => self.code(kind, &fields),
            known if simple(known).is_some() => simple(known),
            other => {
                self.unknown_type(other, kind_yaml);
                return None;
            }
        };
        let sensitive = fields.get("sensitive");
        let sensitive = sensitive.is_some_and(|y| self.report.flag(y, "`sensitive`"));
        let given = fields.get("given").is_some_and(|y| self.report.flag(y, "`given`"));
        fields.finish();
        Some(Slot { kind: kind?, sensitive, given })
    }

    fn unknown_type(&self, kind: &str, yaml: &Yaml) -> Option<Slot> {
        if matches!(kind, "digits" | "choice" | "postcode" | "code") {
            self.report.error(
                yaml.at,
                format!("a slot of type `{kind}` needs more"),
                "write `{type: digits, length: 6-8}`, `{type: choice, options: …}`, `{type: postcode, country: uk}` or `{type: code, pattern: \"NF-9999\"}`",
            );
        } else {
            let what = format!("no slot type `{kind}`");
            self.report.error(yaml.at, what, did_you_mean(kind, TYPES));
        }
        None
    }

    /// `length: 6` or `length: 6-8`.
    fn digits(&self, fields: &Fields<'_>) -> Option<SlotKind> {
        let allow_x = fields.get("allow_x");
        let allow_x = allow_x.is_some_and(|y| self.report.flag(y, "`allow_x`"));
        let yaml = fields.require("length", "say how many digits: `length: 6-8`")?;
        let text = self.report.text(yaml, "`length`")?;
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        match (min.trim().parse::<u8>(), max.trim().parse::<u8>()) {
            (Ok(min), Ok(max)) if 1 <= min && min <= max && max <= 32 => {
                let check = self.check_digit(fields, min, max);
                let allow_x = allow_x || check == Some(DigitCheck::Gb11643);
                Some(SlotKind::Digits(DigitSpec { min, max, allow_x, check }))
            }
            _ => {
                self.report.error(
                    yaml.at,
                    format!("`{text}` is not a number of digits"),
                    "write `6` or `6-8`, from 1 to 32",
                );
                None
            }
        }
    }

    /// `check: gb11643` or `check: luhn`.
    fn check_digit(&self, fields: &Fields<'_>, min: u8, max: u8) -> Option<DigitCheck> {
        let yaml = fields.get("check")?;
        let check = match self.report.text(yaml, "`check`")? {
            "gb11643" if (min, max) == (18, 18) => return Some(DigitCheck::Gb11643),
            "gb11643" => "identity numbers have 18 characters: write `length: 18`".to_owned(),
            "luhn" => return Some(DigitCheck::Luhn),
            other => did_you_mean(other, ["gb11643", "luhn"]),
        };
        self.report.error(yaml.at, "digits cannot be checked like this", check);
        None
    }

    /// `type: postcode` with `country`, or `type: code` with `pattern`.
    fn code(&self, kind: &str, fields: &Fields<'_>) -> Option<SlotKind> {
        if kind == "postcode" {
            let remedy = "write `country: uk` or `country: us`; of other countries use digits";
            let yaml = fields.require("country", remedy)?;
            return match self.report.text(yaml, "`country`")? {
                "uk" => Some(SlotKind::Code(CodeForm::uk_postcode())),
                "us" => Some(SlotKind::Digits(DigitSpec { min: 5, max: 5, ..DigitSpec::NONE })),
                other => {
                    self.report.error(yaml.at, format!("no postcodes of `{other}`"), remedy);
                    None
                }
            };
        }
        let remedy = "write `pattern: \"NF-9999-999\"`: A is any letter, 9 any digit, * either";
        let yaml = fields.require("pattern", remedy)?;
        let form = CodeForm::pattern(self.report.text(yaml, "`pattern`")?);
        if form.is_none() {
            self.report.error(yaml.at, "a pattern needs 1 to 24 letters and digits", remedy);
        }
        form.map(SlotKind::Code)
    }

    /// `from: tool.field`: what the tool gave last.
    fn offered(&self, yaml: &Yaml) -> Option<SlotKind> {
        let text = self.report.text(yaml, "`from`")?;
        match text.split_once('.') {
            Some((tool, field)) if !tool.is_empty() && !field.is_empty() => {
                Some(SlotKind::Offered(Given { tool: tool.to_owned(), field: field.to_owned() }))
            }
            _ => {
                let remedy = "write `from: tool.field`, a field that gives `name=phrase/phrase; name=phrase`";
                self.report.error(yaml.at, format!("`{text}` is no field of a tool"), remedy);
                None
            }
        }
    }

    /// `range: 1-12`, if it is there.
    fn number(&self, fields: &Fields<'_>) -> Option<SlotKind> {
        let Some(yaml) = fields.get("range") else { return simple("number") };
        let text = self.report.text(yaml, "`range`")?;
        let bounds =
            text.split_once('-').map(|(min, max)| (min.trim().parse(), max.trim().parse()));
        match bounds {
            Some((Ok(min), Ok(max))) if min < max && max <= LARGEST => {
                Some(SlotKind::Number { min, max })
            }
            _ => {
                let remedy = "write the least and the most that it may be: `1-12`";
                self.report.error(yaml.at, format!("`{text}` is not a range"), remedy);
                None
            }
        }
    }

    /// `options:` by name: a list of phrases, or a map with `phrases` and `key`.
    fn choice(&self, slot: &str, fields: &Fields<'_>) -> Option<SlotKind> {
        if let Some(from) = fields.get("from") {
            return self.offered(from);
        }
        let yaml = fields.require("options", "list them: `options: {NAME: [phrase, …]}`")?;
        let mut options: Vec<ChoiceOption> = Vec::new();
        for (name, yaml) in self.report.map(yaml, "`options`") {
            let what = format!("option `{}` of `{slot}`", name.name);
            let (phrases, key) = if is_detailed(yaml) {
                let fields = Fields::new(self.report, yaml, what.as_str());
                let phrases = fields.require("phrases", "list ways of saying it");
                let phrases = phrases.map(|y| self.phrases(y, &what)).unwrap_or_default();
                let key = fields.get("key").and_then(|y| {
                    let text = self.report.text(y, "`key`")?;
                    self.report.dtmf(text, y.at)
                });
                fields.finish();
                (phrases, key)
            } else {
                (self.phrases(yaml, &what), None)
            };
            if key.is_some() && options.iter().any(|o| o.key == key) {
                let what = format!("{what} has the key of another option");
                self.report.error(name.at, what, "give each option its own key");
            }
            options.push(ChoiceOption { name: name.name.clone(), phrases, key });
        }
        if options.len() < 2 {
            self.report.error(
                yaml.at,
                format!("slot `{slot}` has fewer than two options"),
                "a choice needs at least two; for one, ask a yes-or-no question",
            );
        }
        Some(SlotKind::Choice(options))
    }
}

/// A type that needs nothing more.
fn simple(kind: &str) -> Option<SlotKind> {
    Some(match kind {
        "yes_no" => SlotKind::YesNo,
        "text" => SlotKind::Text,
        "counter" => SlotKind::Counter,
        "number" => SlotKind::Number { min: 0, max: LARGEST },
        "money" => SlotKind::Money,
        "date" => SlotKind::Date,
        "time" => SlotKind::Time,
        "plate" => SlotKind::Code(CodeForm::plate()),
        _ => return None,
    })
}

/// Whether an option is a map of fields rather than a map of languages.
fn is_detailed(yaml: &Yaml) -> bool {
    match &yaml.kind {
        Kind::Map(entries) => {
            entries.iter().any(|(key, _)| matches!(key.name.as_str(), "phrases" | "key"))
        }
        _ => false,
    }
}
