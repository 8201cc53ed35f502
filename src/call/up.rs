//! A call from its answer on.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{task::JoinSet, time::Instant};

use super::{
    Setup,
    archive::Archive,
    clock::CallClock,
    control::{Controls, Seat},
    hearing::Hearing,
    hold::OurHold,
    making::Making,
    media::Media,
    missing::Missing,
    parties::Parties,
    player::Player,
    record::Record,
    session::Session,
    task::Call,
    transfer::{Desk, Transfers},
};
use crate::{
    conversation::Conversation,
    dialog::{CallFacts, Machine},
    sip::Leg,
};

/// What a call has when it is answered.
pub(super) struct Up {
    pub(super) media: Media,
    pub(super) session: Session,
    pub(super) archive: Archive,
    pub(super) record: Record,
    pub(super) parties: Parties,
    pub(super) facts: CallFacts,
    pub(super) line: Desk,
    pub(super) seat: Seat,
    /// The bot need not wait for the caller's ACK.
    pub(super) acked: bool,
    pub(super) answered: Instant,
}

/// The call that `leg` is up for.
pub(super) fn call<L: Leg>(leg: L, setup: &Setup, up: Up) -> Call<L> {
    let Up { mut media, session, archive, record, parties, facts, line, seat, acked, answered } =
        up;
    media.answered();
    let is_heard = setup.dialplan.languages().iter().any(|lang| setup.engines.hears(*lang));
    let machine = Machine::new(Arc::clone(&setup.dialplan), facts);
    Call {
        leg,
        media,
        session,
        conversation: Conversation::new(machine, setup.timing.clone())
            .following(setup.engines.streaming()),
        engines: Arc::clone(&setup.engines),
        prompts: Arc::clone(&setup.prompts),
        crm: setup.crm.clone(),
        llm: setup.llm.clone(),
        archive,
        record,
        limits: setup.limits,
        clock: CallClock::new(answered),
        hearing: if is_heard { Hearing::new() } else { Hearing::deaf() },
        player: Player::default(),
        making: Making::default(),
        jobs: JoinSet::new(),
        transfers: Transfers::new(line),
        following: None,
        recognizing: BTreeMap::new(),
        generating: None,
        acked,
        started: false,
        first_sound: None,
        missing: Missing::default(),
        controls: Controls::new(seat),
        our_hold: OurHold::new(setup.hold_music.clone()),
        parties,
        screen_pop: setup.screen_pop.clone(),
        end: None,
    }
}
