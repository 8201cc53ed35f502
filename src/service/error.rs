use std::{net::SocketAddr, path::PathBuf};

use crate::{
    api::ApiError,
    call::{self, PortError},
    crm::CrmError,
    delivery::DeliveryError,
    llm::LlmError,
    sip::SipError,
    speech::{SpeechError, prompts::VoiceError},
    store::StoreError,
};

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The configuration.
    #[error("{path}: {problem}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        problem: String,
    },
    /// A published dialplan.
    #[error(transparent)]
    Published(#[from] super::PublishError),
    /// A dialplan has errors.
    #[error("{problems}\nmend the dialplan; `hotline check {path}` shows all of this")]
    Dialplan {
        /// The dialplan's file.
        path: PathBuf,
        /// One problem a line.
        problems: String,
    },
    /// An announcement cannot be read.
    #[error("announcement {path}: {problem}")]
    Announcement {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A trunk's part of the configuration.
    #[error("trunk `{trunk}`: {problem}")]
    Trunk {
        /// Its name.
        trunk: String,
        /// What is wrong.
        problem: String,
    },
    /// A tenant's part of the configuration.
    #[error("tenant `{tenant}`: {problem}")]
    Tenant {
        /// Its name.
        tenant: String,
        /// What is wrong.
        problem: String,
    },
    /// Where the calls are kept.
    #[error("data.{option}: {problem}")]
    Data {
        /// The option.
        option: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A language is spoken by a dialplan but not heard.
    #[error(
        "{path} speaks {lang}, but the configuration has no [recognizer.{lang}]; {why_not_keys}"
    )]
    NoRecognizer {
        /// The dialplan's file.
        path: PathBuf,
        /// The language.
        lang: crate::text::Lang,
        /// Why keys alone do not do.
        why_not_keys: String,
    },
    /// A language that only a new start can add.
    #[error("{path} speaks {lang}, for which no recogniser was loaded: restart the service")]
    NewLanguage {
        /// The dialplan's file.
        path: PathBuf,
        /// The language.
        lang: crate::text::Lang,
    },
    /// There is no dialplan at all.
    #[error(
        "there is nothing to say: add a [[number]], or a [[dialplan]] for calls that are placed"
    )]
    NoDialplan,
    /// The trial of a number.
    #[error("number `{number}`: {problem}")]
    Trial {
        /// The number.
        number: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The service does not run, or no longer.
    #[error("the service does not run")]
    Stopped,
    /// A model or a voice.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// A voice definition.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// The thread that writes recordings and journals.
    #[error("cannot start the thread that writes recordings: {0}")]
    Thread(std::io::Error),
    /// The inference threads.
    #[error("cannot start inference threads: {0}: lower `inference.threads`")]
    Threads(std::io::Error),
    /// A call that was placed to try a trunk.
    #[error(transparent)]
    Call(#[from] call::CallError),
    /// The listening address.
    #[error(transparent)]
    Sip(#[from] SipError),
    /// The address of health and metrics.
    #[error("monitoring.listen {address} cannot be listened on: {problem}")]
    Monitoring {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        problem: std::io::Error,
    },
    /// The collector of traces.
    #[error("monitoring.otlp `{url}`: {problem}")]
    Otlp {
        /// As it is configured.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// The gRPC API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The CRM.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// A language model.
    #[error(transparent)]
    Llm(#[from] LlmError),
    /// Whom events are delivered to.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The RTP ports.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that was kept long enough, or is to be forgotten.
    #[error("cannot remove {path}: {problem}")]
    Remove {
        /// The file.
        path: PathBuf,
        /// What the system said.
        problem: String,
    },
    /// The data directory.
    #[error("cannot make the data directory {path}: {problem}")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        problem: String,
    },
}
