//! The owner of one call: everything the call has lives in one value on one task.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};

use super::{
    EndReason, Engines, Limits, ScreenPop,
    archive::Archive,
    clock::CallClock,
    control::{CallState, Controls},
    ending::statistics,
    following::Following,
    hearing::{Hearing, Wanted},
    hold::OurHold,
    jobs::Done,
    live::Happening,
    making::Making,
    media::Media,
    missing::Missing,
    outbound::FirstSound,
    parties::Parties,
    player::Player,
    record::Record,
    session::Session,
    transfer::{Callee, Transfers},
};
use crate::{
    audio::CallTime,
    conversation::{
        Attention, Conversation, GenerateId, Input, Note, Output, UtteranceId,
        journal::{self, Step},
    },
    crm::Crm,
    llm::Llm,
    rtp::RtpStats,
    sip::{Leg, LegEvent},
    speech::{Hints, prompts::Prompts},
};

/// The bot begins at the caller's ACK, or this long after the answer.
pub(super) const START_AFTER: CallTime = CallTime::from_ms(1_000);

/// One call that has been answered.
pub(super) struct Call<L: Leg> {
    pub(super) leg: L,
    pub(super) media: Media,
    pub(super) session: Session,
    pub(super) conversation: Conversation,
    pub(super) engines: Arc<Engines>,
    pub(super) prompts: Arc<Prompts>,
    pub(super) crm: Crm,
    pub(super) llm: Llm,
    pub(super) archive: Archive,
    pub(super) record: Record,
    pub(super) limits: Limits,
    pub(super) clock: CallClock,
    pub(super) hearing: Hearing,
    pub(super) player: Player,
    pub(super) making: Making,
    pub(super) jobs: JoinSet<Done>,
    pub(super) transfers: Transfers,
    /// The turn that is recognised while the caller speaks.
    pub(super) following: Option<Following>,
    pub(super) recognizing: BTreeMap<UtteranceId, AbortHandle>,
    /// The language model that is answering.
    pub(super) generating: Option<(GenerateId, AbortHandle)>,
    /// The caller's ACK has come.
    pub(super) acked: bool,
    pub(super) started: bool,
    /// In a call that we placed: lets the callee say hello.
    pub(super) first_sound: Option<FirstSound>,
    pub(super) missing: Missing,
    pub(super) controls: Controls,
    pub(super) our_hold: OurHold,
    pub(super) parties: Parties,
    /// Who is told of the caller before they are handed over.
    pub(super) screen_pop: Option<Arc<dyn ScreenPop>>,
    pub(super) end: Option<EndReason>,
}

/// What is left when a call is over.
pub(super) struct Over {
    pub(super) archive: Archive,
    pub(super) record: Record,
    pub(super) reason: EndReason,
    /// What the dialog had collected.
    pub(super) slots: BTreeMap<String, String>,
    pub(super) at: CallTime,
    pub(super) stats: RtpStats,
}

impl<L: Leg> Call<L> {
    /// Runs the call to its end.
    pub(super) async fn run(mut self) -> Over {
        self.follow_hold(true);
        let mut tick = pin!(sleep_until(self.clock.next_tick()));
        let reason = loop {
            tokio::select! {
                biased;
                () = &mut tick => {
                    self.tick();
                    tick.as_mut().reset(self.clock.next_tick());
                }
                Some(done) = self.jobs.join_next() => self.job_done(done.ok()),
                (who, heard) = self.transfers.next() => match who {
                    Callee::Present => self.heard_callee(heard),
                    Callee::Asked => self.heard_asked(heard),
                },
                event = self.leg.next_event() => self.signalled(event),
                request = self.controls.next() => self.requested(request),
            }
            self.send_hold().await;
            self.signal().await;
            if let Some(reason) = self.end {
                break reason;
            }
        };
        self.close(reason).await
    }

    async fn close(mut self, reason: EndReason) -> Over {
        let at = self.now();
        self.transfers.end();
        if !matches!(reason, EndReason::BotHangup | EndReason::Transferred) {
            self.step(at, Input::HungUp);
        }
        // What was playing is on the record up to its last sample.
        for ended in self.player.stop() {
            self.step(at, ended);
        }
        let stats = self.media.finish(self.clock.line(Instant::now()));
        self.leg.report_media(statistics(&stats));
        if let Err(error) = self.leg.hang_up(reason.cause()).await {
            tracing::warn!(%error, "could not hang up");
        }
        // A leg that is still saying goodbye is given the time for it.
        let goodbye = async { while self.leg.next_event().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), goodbye).await;
        let slots = self.conversation.outcome("").slots;
        Over { archive: self.archive, record: self.record, reason, slots, at, stats }
    }

    pub(super) fn now(&self) -> CallTime {
        self.clock.now(Instant::now())
    }

    /// One frame in, one frame out. A late tick does its work at once; the grid stays.
    fn tick(&mut self) {
        self.media.take_waiting(self.clock.line(Instant::now()));
        self.watch_keys();
        let line = self.clock.tick();
        let caller = self.controls.heard(self.media.pull().audio);
        if line.since(CallTime::ZERO) > self.limits.max_duration() {
            self.end.get_or_insert(EndReason::MaxDuration);
        }
        if line.as_ms().is_multiple_of(1_000) {
            // The peer may hang up at any time, and is then told this.
            self.leg.report_media(statistics(&self.media.stats()));
        }
        self.transfers.expire();
        let other = self.relay(line, &caller);
        if self.clock.held() {
            // Nobody listens: what is to be said waits, and what comes is music.
            return self.media.send(line, &self.our_hold.music());
        }
        let now = self.clock.reached();
        self.watch_audio(now);
        while let Some(key) = self.media.next_key(line) {
            if !self.transfers.relay_key(key) {
                self.step(now, Input::Key(key));
            }
        }
        if let Some(edge) = self.hearing.push(&caller, self.speech_wanted()) {
            self.step(now, edge);
        }
        if let Some(input) = self.follow_on(now) {
            self.step(now, input);
        }
        if !self.started && self.media.is_ready() && self.may_begin(now, &caller) {
            self.start(now);
        }
        if self.conversation.deadline().is_some_and(|at| at <= now) {
            self.step(now, Input::Deadline);
        }
        let mut events = Vec::new();
        let bot = self.player.frame(&mut events);
        let bot = other.unwrap_or(bot);
        self.media.send(line, &bot);
        self.hearing.sent(&bot);
        self.archive.frame(&caller, &bot);
        for event in events {
            self.step(now, event);
        }
    }

    fn speech_wanted(&self) -> Wanted {
        match self.conversation.attention() {
            Attention::Now => Wanted::Now,
            Attention::AfterPrompts(prompts) => Wanted::In(self.player.left(prompts)),
            Attention::Never => Wanted::Never,
        }
    }

    fn start(&mut self, now: CallTime) {
        self.started = true;
        self.step(now, Input::Start);
    }

    fn signalled(&mut self, event: Option<LegEvent>) {
        match event {
            Some(LegEvent::Confirmed { answer }) => {
                self.acked = true;
                if let Some(answer) = answer {
                    let changed = self.session.answered_in_ack(&answer, &mut self.media);
                    self.follow_hold(changed);
                }
            }
            Some(LegEvent::Key { key, .. }) => {
                let now = self.now();
                let first = self.media.take_info_key(self.clock.line(Instant::now()), key);
                if first && !self.transfers.relay_key(key) {
                    self.step(now, Input::Key(key));
                }
            }
            Some(LegEvent::Reinvite(change)) => {
                let changed = self.session.reinvited(change, &mut self.media);
                self.follow_hold(changed);
            }
            Some(LegEvent::HungUp { reason }) => {
                if let Some(reason) = reason {
                    tracing::info!(%reason, "the caller's side hung up");
                    self.record.peer_reason(self.now(), &reason);
                }
                if !self.left_in_transfer() {
                    self.end = Some(self.other_hung_up());
                }
            }
            Some(LegEvent::Changed(answer)) => self.hold_answered(answer),
            Some(LegEvent::Referred(progress)) => self.referred(progress),
            Some(LegEvent::Refer(request)) => self.asked_elsewhere(request),
            Some(LegEvent::Replaced(by)) => self.transfers.replaced_by(by),
            Some(LegEvent::Cancelled) => self.end = Some(EndReason::CallerHangup),
            Some(LegEvent::Shutdown) => self.end = Some(EndReason::Shutdown),
            Some(LegEvent::Failed { why }) => {
                tracing::warn!(%why, "the leg broke");
                self.end = Some(EndReason::Failed);
            }
            None => self.end = Some(EndReason::Failed),
            Some(_) => {}
        }
    }

    fn other_hung_up(&self) -> EndReason {
        match self.first_sound {
            Some(_) => EndReason::CalleeHangup,
            None => EndReason::CallerHangup,
        }
    }

    pub(super) fn follow_hold(&mut self, changed: bool) {
        let on = self.media.held() || self.our_hold.is_on();
        if changed && self.clock.hold(on) {
            tracing::info!(held = on, "hold");
            self.controls.state(if on { CallState::Held } else { self.stage() });
            self.record.tell(Happening::Held { on });
        }
    }

    /// Who talks to the caller when nobody holds the call.
    fn stage(&self) -> CallState {
        match self.transfers.call_state() {
            Some(state) => state,
            None if self.conversation.is_taken_over() => CallState::TakenOver,
            None => CallState::Talking,
        }
    }

    /// Gives an input to the conversation and does what it says.
    pub(super) fn step(&mut self, at: CallTime, input: Input) {
        let mut inbox = VecDeque::from([input]);
        while let Some(input) = inbox.pop_front() {
            let outputs = self.conversation.step(at, input.clone());
            match journal::line(&Step { at, input, outputs: outputs.clone() }) {
                Ok(line) => self.archive.line(line),
                Err(error) => tracing::error!(%error, "a step could not be journalled"),
            }
            for output in outputs {
                self.perform(at, output, &mut inbox);
            }
        }
    }

    fn perform(&mut self, at: CallTime, output: Output, inbox: &mut VecDeque<Input>) {
        match output {
            Output::Play { prompt, say } => self.play(at, prompt, say),
            Output::PlayClip { prompt, clip } => self.play_clip(at, prompt, clip),
            Output::Mute(on) => self.player.mute(on),
            Output::Duck => self.player.duck(),
            Output::Hold => self.player.hold(),
            Output::ResumeDucked => self.player.resume_ducked(),
            Output::Resume => self.player.resume(),
            Output::StopPlayback => {
                self.making.stop();
                inbox.extend(self.player.stop());
            }
            Output::Recognize { utterance, from, to, lang, phrases } => {
                self.record.recognizing();
                if self.follows_to(utterance, from, to) {
                    return inbox.extend(self.follow_on(at));
                }
                let audio = self.hearing.speech(from, to);
                inbox.extend(self.recognize(utterance, audio, Hints { lang, phrases }));
            }
            Output::Follow { utterance, from, lang, phrases } => {
                self.follow(utterance, from, Hints { lang, phrases });
            }
            Output::CancelRecognition { utterance } => {
                self.unfollow(utterance);
                if let Some(job) = self.recognizing.remove(&utterance) {
                    job.abort();
                }
            }
            Output::Prepare { phrase, manner } => self.prepare(&phrase, manner),
            Output::Transfer(transfer) => self.transfer(transfer),
            Output::Invoke { id, invoke } => self.invoke(id, invoke),
            Output::Generate { id, request } => self.generate(id, *request),
            Output::StopGenerating { id } => self.stop_generating(id),
            Output::HangUp(outcome) => {
                self.record.outcome(outcome);
                let handed_over = self.transfers.is_done();
                self.end = Some(match handed_over {
                    true => EndReason::Transferred,
                    false => EndReason::BotHangup,
                });
            }
            Output::Note(note) => {
                let on_line = match &note {
                    Note::Turn(stamps) => self.on_line(at, stamps),
                    _ => None,
                };
                self.record.note(at, note, on_line);
            }
        }
    }
}
