//! Choices that a tool gave: a customer's orders, the free times of a doctor.

use time::{Date, Time, macros::format_description};

use super::{Machine, keyed::day, values::Values};
use crate::{
    dialplan::{
        Dialplan,
        model::{Given, Reference, SlotKind},
    },
    text::Hypothesis,
    understand::{self, ChoiceOption, DigitSpec},
};

/// One thing to choose: `78120045=kettle/water kettle`, or `2026-11-28 14:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// What the slot holds when it is chosen.
    pub(super) name: String,
    /// Ways of saying it, besides the name; the first is how the bot says it.
    pub(super) phrases: Vec<String>,
}

impl Machine {
    /// The things that the tool gave last, in its order.
    pub(super) fn offers(&self, from: &Given) -> Vec<Offer> {
        offers(self.values.field(&from.tool, &from.field))
    }

    /// The one that was heard: by its phrases or place, by a number read out, by day and time of day.
    pub(super) fn offer_heard(&self, from: &Given, heard: &[Hypothesis]) -> Option<String> {
        let offers = self.offers(from);
        self.by_number(&offers, heard).or_else(|| self.by_time(&offers, heard)).or_else(|| {
            let options: Vec<ChoiceOption> = offers
                .into_iter()
                .map(|Offer { name, phrases }| ChoiceOption { name, phrases })
                .collect();
            understand::choice(self.lang, heard, &options).map(|found| found.name)
        })
    }

    /// One whose name is a number that was read out, in any reading of it.
    fn by_number(&self, offers: &[Offer], heard: &[Hypothesis]) -> Option<String> {
        let numbers = offers.iter().map(|offer| &offer.name);
        let mut numbers = numbers.filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
        numbers
            .find(|name| {
                let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
                let spec =
                    DigitSpec { min: length, max: length, allow_x: false, ..DigitSpec::NONE };
                understand::digit_readings(self.lang, heard, &spec).contains(name)
            })
            .cloned()
    }

    /// The only one of the day, of the time of day, or of both that were said.
    fn by_time(&self, offers: &[Offer], heard: &[Hypothesis]) -> Option<String> {
        let today = day(&self.facts.date)?;
        let on = understand::date(self.lang, heard, today);
        let time = understand::time_of_day(self.lang, heard);
        if on.is_none() && time.is_none() {
            return None;
        }
        let agrees = |(its_day, its_time): &(Date, Time)| {
            on.is_none_or(|day| day == *its_day) && time.is_none_or(|time| time == *its_time)
        };
        let mut fitting =
            offers.iter().filter(|offer| moment(&offer.name).as_ref().is_some_and(agrees));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only.name.clone()),
            _ => None,
        }
    }
}

impl Values {
    /// How the bot says a value that was chosen among what a tool gave: by its first phrase.
    pub(super) fn offered(
        &self,
        reference: &Reference,
        value: &str,
        plan: &Dialplan,
    ) -> Option<String> {
        let Reference::Slot(slot) = reference else { return None };
        let Some(SlotKind::Offered(from)) = plan.model().slots.get(slot).map(|slot| &slot.kind)
        else {
            return None;
        };
        let mut offers = offers(self.field(&from.tool, &from.field)).into_iter();
        offers.find(|offer| offer.name == value)?.phrases.into_iter().next()
    }
}

/// `name=phrase/phrase; name`, as a tool gives them.
fn offers(field: &str) -> Vec<Offer> {
    let items = field.split(';').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let (name, phrases) = item.split_once('=').unwrap_or((item, ""));
            let phrases = phrases.split('/').map(str::trim).filter(|phrase| !phrase.is_empty());
            Offer { name: name.trim().to_owned(), phrases: phrases.map(str::to_owned).collect() }
        })
        .collect()
}

/// `2026-11-28 14:00`.
fn moment(name: &str) -> Option<(Date, Time)> {
    let (date, time) = name.split_once(' ')?;
    let time = Time::parse(time, format_description!("[hour]:[minute]")).ok()?;
    Some((day(date)?, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_as_tools_write_them() {
        let offer = |name: &str, phrases: &[&str]| Offer {
            name: name.to_owned(),
            phrases: phrases.iter().map(|p| (*p).to_owned()).collect(),
        };
        assert_eq!(
            offers("78120045=kettle/water kettle; 78120077 = headphones;"),
            [offer("78120045", &["kettle", "water kettle"]), offer("78120077", &["headphones"])]
        );
        assert_eq!(offers("2026-11-28 14:00"), [offer("2026-11-28 14:00", &[])]);
        assert_eq!(offers(" ; "), []);
        assert!(moment("2026-11-28 14:00").is_some());
        assert!(moment("kettle").is_none() && moment("2026-11-28").is_none());
    }
}
