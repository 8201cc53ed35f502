//! The knowledge base: finding the answer, and giving it in a call.

mod dialog_support;

use std::{path::PathBuf, sync::Arc};

use hotline::{
    cli::eval::faq::{FaqArgs, Report, evaluate},
    dialog::Event,
    dialplan::{Dialplan, DialplanSource, Severity},
    text::{Piece, ReadAs},
};

fn eval(test: &str, homophones: f64) -> Report {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/faq_zh");
    let report = evaluate(&FaqArgs {
        knowledge: data.join("knowledge.csv"),
        test: data.join(test),
        lang: None,
        none: "none".into(),
        homophones,
        worst: 20,
        json: false,
    });
    let report = report.unwrap_or_else(|error| panic!("{error:#}"));
    println!("{test} with {homophones} % homophones: {report:#?}");
    report
}

#[test]
fn questions_in_other_words_find_their_answers_and_strangers_find_none() {
    let report = eval("test.csv", 0.0);
    assert_eq!((report.entries.0, report.rows), (300, (300, 105)));
    assert!(report.top1 >= 0.80, "{}", report.top1);
    assert!(report.rejected >= Some(0.75), "{:?}", report.rejected);
}

#[test]
fn homophones_cost_little() {
    let (clean, misheard) = (eval("test.csv", 0.0), eval("test.csv", 15.0));
    assert!(clean.top1 - misheard.top1 <= 0.03, "{} to {}", clean.top1, misheard.top1);
}

const PLAN: &str = r#"dialplan: shop
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
intents:
  order: [where is my order, track my parcel, has my order been sent]
  bye: [goodbye, bye bye, that is all]
knowledge: KNOWLEDGE
defaults:
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
flows:
  main:
    menu:
      ask: "How can I help?"
      on: {order: order, bye: bye}
    order: {say: "It is on its way.", next: menu}
    bye: {say: "Goodbye.", hang_up: resolved}
"#;

const INLINE: &str = r#"
  hours:
    questions: [when are you open, what are your opening hours, are you open on Sunday]
    answer: "We are open from nine to five."
  parking:
    questions: [where can I park, is there a car park]
    answer: "There is a car park behind the shop.""#;

const CSV: &str = "id,question,answer\nhours,when are you open,We are open from nine to five.\n\
    hours,what are your opening hours,\nparking,where can I park,There is a car park behind the shop.\n";

fn plan(knowledge: &str, csv: Option<&str>) -> Result<Dialplan, String> {
    let mut source = DialplanSource::inline("p.yaml", PLAN.replace("KNOWLEDGE", knowledge));
    source.tables.extend(csv.map(|csv| ("faq.csv".to_owned(), csv.to_owned())));
    Dialplan::from_source(source).map_err(|found| {
        let errors = found.iter().filter(|f| f.severity == Severity::Error);
        errors.map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn an_answer_is_given_and_the_question_asked_again() {
    for plan in [plan(INLINE, None), plan("{file: faq.csv}", Some(CSV))] {
        let plan = Arc::new(plan.unwrap_or_else(|errors| panic!("{errors}")));
        let played = dialog_support::play(
            &plan,
            "B How can I help?
             C what are your opening hours please
             B We are open from nine to five.
             B How can I help?
             C where is my order
             B It is on its way.
             B How can I help?
             C do you sell elephants
             B Sorry?
             B How can I help?
             C bye bye
             B Goodbye.
             = resolved",
        );
        let faq =
            |e: &&Event| matches!(e, Event::Faq { id, score } if id == "hours" && *score > 0.5);
        assert_eq!(played.events.iter().filter(faq).count(), 1, "{:?}", played.events);
        let unanswered = Event::Unanswered { text: "do you sell elephants".into() };
        assert_eq!(played.events.iter().filter(|e| **e == unanswered).count(), 1);
    }
}

#[test]
fn of_two_answers_that_are_equally_near_the_caller_chooses() {
    let offer = "\n  offer: \"Did you mean {first}, or {second}?\"";
    let entries = "
  hours:
    questions: [opening hours on weekdays, when are you open on weekdays]
    answer: \"We are open from nine to five.\"
  holidays:
    questions: [opening hours on holidays, when are you open on holidays]
    answer: \"On holidays we are closed.\"";
    let plan = plan(&format!("{offer}{entries}"), None);
    let plan = Arc::new(plan.unwrap_or_else(|errors| panic!("{errors}")));
    let played = dialog_support::play(
        &plan,
        "B How can I help?
         C what are your opening hours
         B Did you mean opening hours on holidays, or opening hours on weekdays?
         C the first one
         B On holidays we are closed.
         B How can I help?
         C opening hours on weekdays
         B We are open from nine to five.
         B How can I help?
         C bye bye
         B Goodbye.
         = resolved",
    );
    let offered = Event::Offered { ids: vec!["holidays".into(), "hours".into()] };
    assert!(played.events.contains(&offered), "{:?}", played.events);
    let question =
        Piece::Value { value: "opening hours on weekdays".into(), read_as: ReadAs::Text };
    assert!(plan.phrases().iter().any(|phrase| phrase.pieces == [question.clone()]));
}

#[test]
fn answers_are_rendered_ahead_and_the_file_is_part_of_the_version() {
    let first = plan("{file: faq.csv}", Some(CSV)).unwrap_or_else(|errors| panic!("{errors}"));
    let words = Piece::Words("There is a car park behind the shop.".into());
    assert!(first.phrases().iter().any(|phrase| phrase.pieces == [words.clone()]));
    let other = CSV.replace("nine to five", "ten to four");
    let other = plan("{file: faq.csv}", Some(&other)).unwrap_or_else(|errors| panic!("{errors}"));
    assert_ne!(first.content_hash(), other.content_hash());
}

#[test]
fn what_is_wrong_in_a_knowledge_base_is_told_with_its_line() {
    let errors = |csv: &str| plan("{file: faq.csv}", Some(csv)).err().unwrap_or_default();
    assert!(errors("id,question\na,b\n").starts_with("faq.csv:1:1: error: a column of the"));
    let unanswered = errors("id,question,answer\na,b,c\nd,e,\n");
    assert!(unanswered.starts_with("faq.csv:3:1: error: `d` has no answer in en"), "{unanswered}");
    let twice = errors("id,question,answer\na,b,c\na,d,e\n");
    assert!(twice.starts_with("faq.csv:3:1: error: another answer for the same id"), "{twice}");
    let braces = errors("id,question,answer\na,b,it is {time}\n");
    assert!(braces.contains("faq.csv:2:1: error: an answer cannot have values"), "{braces}");
    let french = errors("id,language,question,answer\na,fr,b,c\n");
    assert!(french.starts_with("faq.csv:2:1: error: no language `fr`"), "{french}");
    let nowhere = plan("{file: faq.csv}", None).err().unwrap_or_default();
    assert!(nowhere.starts_with("p.yaml:9:19: error: the text of the knowledge"), "{nowhere}");
    let no_answer = plan("\n  hours:\n    questions: [when are you open]", None).err();
    assert!(no_answer.unwrap_or_default().contains("`hours` in `knowledge` has no `answer`"));
}
