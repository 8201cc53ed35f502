//! The power company's hotline, spoken to in text.

mod dialog_support;

use dialog_support::{dialplan, play};
use hotline::dialog::{BargeIn, Event, Expect, Input, Output};

const OPENING: &str = "
    B Metro Power. You are talking to an automated assistant, and this call is recorded.
    B How can I help you?
";

fn conversation(script: &str) -> dialog_support::Played {
    play(&dialplan("utility-en.yaml"), &format!("{OPENING}{script}"))
}

#[test]
fn a_known_outage_is_explained_by_zip_code() {
    let played = conversation(
        "
        C yeah the power's out again, third time this month
        B I'm sorry to hear that. What is your five digit zip code?
        C nine four one one zero
        B We know about an outage in 94110, caused by a damaged power line. We expect the power back at 20:30.
        B Is there anything else I can help you with?
        C no thanks
        B Thank you for calling Metro Power. Goodbye.
        = resolved
        ",
    );
    assert_eq!(
        played.nodes,
        [
            "main.welcome",
            "main.menu",
            "outage.start",
            "outage.find",
            "outage.known",
            "main.more",
            "main.anything_else",
            "main.bye"
        ]
    );
}

#[test]
fn an_outage_nobody_knows_of_is_reported() {
    let played = conversation(
        "
        C there's no electricity here
        B I'm sorry to hear that. What is your five digit zip code?
        C 1 0 0 0 1
        B I don't see an outage in 10001. Shall I take a report?
        C yes please
        B Please describe the problem after this prompt, with your street and house number.
        C the whole of Alder Street is dark since six, I'm at number eighteen
        B Thank you, I have recorded your report for 10001. Please stay away from any fallen wires.
        B Is there anything else I can help you with?
        C nope
        B Thank you for calling Metro Power. Goodbye.
        = resolved
        ",
    );
    let outcome = played.outcome.expect("the bot hung up");
    assert_eq!(
        outcome.slots["message"],
        "the whole of Alder Street is dark since six, I'm at number eighteen"
    );
}

#[test]
fn a_corrected_account_number_is_read_back_again() {
    let played = conversation(
        "
        C how much do I owe you people
        B What is your account number? It has six to eight digits.
        C four four one seven nine oh three
        B That's 4417903. Is that right?
        C no, it's four four one seven nine oh two
        B That's 4417902. Is that right?
        C yes
        B You owe 132.48, due on 2026-11-28.
        B Is there anything else I can help you with?
        C no
        B Thank you for calling Metro Power. Goodbye.
        = resolved
        ",
    );
    let outcome = played.outcome.expect("the bot hung up");
    assert_eq!(outcome.slots["account"], "*****02", "records show no full account number");
}

#[test]
fn events_never_carry_a_sensitive_value_in_full() {
    let played = conversation(
        "
        C what is my balance
        B What is your account number? It has six to eight digits.
        C [20518834]
        B That's 20518834. Is that right?
        C [hangs up]
        ",
    );
    let slots: Vec<&Event> =
        played.events.iter().filter(|e| matches!(e, Event::Slot { .. })).collect();
    let masked = Event::Slot { slot: "account".into(), value: "****8834".into() };
    assert_eq!(slots, [&masked]);
    assert_eq!(played.machine.outcome("abandoned").slots["account"], "****8834");
}

#[test]
fn a_plain_no_asks_for_the_number_again() {
    conversation(
        "
        C what is my balance
        B What is your account number? It has six to eight digits.
        C six double oh two seven one
        B That's 600271. Is that right?
        C no
        B What is your account number? It has six to eight digits.
        C [600271]
        B That's 600271. Is that right?
        C [1]
        B Your account is settled. You owe nothing.
        B Is there anything else I can help you with?
        C [2]
        B Thank you for calling Metro Power. Goodbye.
        = resolved
        ",
    );
}

#[test]
fn the_whole_call_can_be_made_with_keys() {
    let played = conversation(
        "
        C [2]
        B What is your account number? It has six to eight digits.
        C [7719045]
        B That's 7719045. Is that right?
        C [1]
        B You owe 417.95, due on 2026-11-24.
        B Is there anything else I can help you with?
        C [2]
        B Thank you for calling Metro Power. Goodbye.
        = resolved
        ",
    );
    let number = &played.listens[1];
    assert_eq!(number.expect, Expect::Digits { min: 6, max: 8 });
    assert_eq!((number.keys.max, number.keys.terminator), (8, Some('#')));
    assert_eq!(played.listens[0].keys.max, 1, "a menu needs one key");
}

#[test]
fn silence_climbs_the_ladder_and_ends_politely() {
    let played = conversation(
        "
        C [silence]
        B Are you still there? You can ask about an outage, your balance or our opening hours.
        C [silence]
        B For an outage press 1, for your balance press 2, for our opening hours press 3, or press 0 to leave a message.
        C [silence]
        B I can't connect you to a person on this line. Shall I take a message, so that someone can call you back?
        C [silence]
        B Would you like to be called back? Please say yes or no.
        C [silence]
        B You can reach our staff in the office, Monday to Friday from 8 to 6. Goodbye.
        = no_person
        ",
    );
    let counts: Vec<u32> = played
        .events
        .iter()
        .filter_map(|e| match e {
            Event::NoInput { count } => Some(*count),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [1, 2, 3, 1, 2]);
}

#[test]
fn an_answer_after_silence_starts_the_ladder_afresh() {
    conversation(
        "
        C [silence]
        B Are you still there? You can ask about an outage, your balance or our opening hours.
        C are you open on saturday
        B Our office is open from 8 a.m. to 6 p.m., Monday to Friday. You can report an outage on this line at any time.
        B Is there anything else I can help you with?
        C yes
        B How can I help you?
        C [silence]
        B Are you still there? You can ask about an outage, your balance or our opening hours.
        ",
    );
}

#[test]
fn someone_who_wants_a_person_is_told_the_truth_and_leaves_a_number() {
    let played = conversation(
        "
        C I want to talk to a human
        B I can't connect you to a person on this line. Shall I take a message, so that someone can call you back?
        C yes
        B Which number should we call? Please say all ten digits.
        C four one five five five five oh one three four
        B That's 4155550134. Is that right?
        C yes that's right
        B What is it about?
        C the meter in my basement is humming
        B Thank you. I have recorded your request to be called back at 4155550134. Goodbye.
        = callback
        ",
    );
    let outcome = played.outcome.expect("the bot hung up");
    assert_eq!(outcome.slots["callback"], "4155550134");
}

#[test]
fn key_zero_asks_for_a_person_at_every_question() {
    for script in [
        "C [0]",
        "C [1]
         B I'm sorry to hear that. What is your five digit zip code?
         C [0]",
        "C [2]
         B What is your account number? It has six to eight digits.
         C [4417902]
         B That's 4417902. Is that right?
         C [0]",
    ] {
        conversation(&format!(
            "{script}
            B I can't connect you to a person on this line. Shall I take a message, so that someone can call you back?
            C [2]
            B You can reach our staff in the office, Monday to Friday from 8 to 6. Goodbye.
            = no_person"
        ));
    }
}

#[test]
fn asking_for_a_person_in_the_middle_of_a_confirmation_wins() {
    conversation(
        "
        C what do I owe
        B What is your account number? It has six to eight digits.
        C four four one seven nine oh two
        B That's 4417902. Is that right?
        C no, get me a supervisor
        B I can't connect you to a person on this line. Shall I take a message, so that someone can call you back?
        ",
    );
}

#[test]
fn repeat_says_the_question_again_even_after_a_reprompt() {
    conversation(
        "
        C what is my balance
        B What is your account number? It has six to eight digits.
        C [unclear]
        B Sorry, I need six to eight digits. What is your account number?
        C can you repeat that
        B What is your account number? It has six to eight digits.
        ",
    );
}

#[test]
fn two_unknown_account_numbers_lead_to_a_call_back() {
    conversation(
        "
        C what is my balance
        B What is your account number? It has six to eight digits.
        C [111111]
        B That's 111111. Is that right?
        C yes
        B I can't find that account number. You find it at the top of your bill.
        B What is your account number? It has six to eight digits.
        C [222222]
        B That's 222222. Is that right?
        C yes
        B I still can't find that account.
        B I can't connect you to a person on this line. Shall I take a message, so that someone can call you back?
        ",
    );
}

#[test]
fn the_legal_notice_cannot_be_interrupted_and_everything_else_can() {
    let plan = dialplan("utility-en.yaml");
    let now = time::macros::datetime!(2026-11-23 10:05);
    let facts = hotline::dialog::CallFacts::new("", "", now);
    let mut machine = hotline::dialog::Machine::new(plan, facts);
    let outputs = machine.step(hotline::audio::CallTime::ZERO, Input::Start);
    let policies: Vec<BargeIn> = outputs
        .iter()
        .filter_map(|o| match o {
            Output::Say(say) => Some(say.barge_in),
            _ => None,
        })
        .collect();
    assert_eq!(policies, [BargeIn::None, BargeIn::Any]);
}
