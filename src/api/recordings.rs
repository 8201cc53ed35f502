//! `Recordings`: what was recorded and said.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::json;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, SeekFrom},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{
    ask::{self, timestamp, wrong},
    gate::identity,
    own::{end_of, own_call, unreadable},
    transcript::transcript,
    writes::{Write, Writes},
};
use crate::{
    proto::{
        RecordingsEraseRequest, RecordingsEraseResponse, RecordingsGetRequest,
        RecordingsGetResponse, RecordingsGetTranscriptRequest, RecordingsGetTranscriptResponse,
        recordings_server::Recordings,
    },
    store::{CallDirection, CallEvent, CallRecord, Identity, Role, Store},
};

/// Bytes of one piece.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for a slow client.
const QUEUE: usize = 4;

pub(super) struct RecordingsService {
    pub(super) store: Store,
    pub(super) writes: Writes,
}

#[tonic::async_trait]
impl Recordings for RecordingsService {
    type GetStream = ReceiverStream<Result<RecordingsGetResponse, Status>>;

    async fn get(
        &self,
        request: Request<RecordingsGetRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        let who = identity(request.extensions())?.clone();
        let RecordingsGetRequest { call_id, offset, length } = request.into_inner();
        let record = own_call(&self.store, &who, &call_id).await?;
        let path = recording(&record)?;
        self.writes.seen(&who, "Recordings.Get", &call_id).await?;
        let (total_size, sha256) = measured(&path).await?;
        if offset > total_size {
            return Err(wrong(
                "offset",
                format_args!("is {offset}; the file has {total_size} bytes"),
            ));
        }
        let rest = total_size - offset;
        let left = if length == 0 { rest } else { length.min(rest) };
        let mut file = File::open(&path).await.map_err(|e| gone(&path, &e))?;
        file.seek(SeekFrom::Start(offset)).await.map_err(|e| gone(&path, &e))?;
        let (sender, pieces) = mpsc::channel(QUEUE);
        let part = Part { offset, left, total_size, sha256 };
        tokio::spawn(async move { part.send(file, sender).await });
        Ok(Response::new(ReceiverStream::new(pieces)))
    }

    async fn get_transcript(
        &self,
        request: Request<RecordingsGetTranscriptRequest>,
    ) -> Result<Response<RecordingsGetTranscriptResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let RecordingsGetTranscriptRequest { call_id, unredacted } = request.into_inner();
        if unredacted && who.role == Role::Operator {
            return Err(Status::permission_denied("unredacted: a token of role operator may not"));
        }
        let record = own_call(&self.store, &who, &call_id).await?;
        let action = if unredacted {
            "Recordings.GetTranscript unredacted"
        } else {
            "Recordings.GetTranscript"
        };
        self.writes.seen(&who, action, &call_id).await?;
        let utterances = transcript(&record, unredacted);
        let redacted = !unredacted;
        Ok(Response::new(RecordingsGetTranscriptResponse { call_id, utterances, redacted }))
    }

    async fn erase(
        &self,
        request: Request<RecordingsEraseRequest>,
    ) -> Result<Response<RecordingsEraseResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let write = Write {
            who: who.clone(),
            action: "Recordings.Erase",
            object: asked.call_id.clone(),
            key: asked.idempotency_key.clone(),
        };
        let (store, new) = (self.store.clone(), asked.clone());
        let work = async move {
            let reason = ask::text("reason", &new.reason, 200)?;
            let record = own_call(&store, &who, &new.call_id).await?;
            if record.summary.end_reason.is_none() {
                return Err(Status::failed_precondition("call_id: the call is not over yet"));
            }
            let erased_at = OffsetDateTime::now_utc();
            erase(&store, &record, &who, reason).await?;
            Ok(RecordingsEraseResponse { erased_at: Some(timestamp(erased_at)) })
        };
        self.writes.once(write, &asked, work).await
    }
}

/// Erases a call: its files first, so that nothing says that they are gone while they are there.
async fn erase(
    store: &Store,
    record: &CallRecord,
    who: &Identity,
    reason: &str,
) -> Result<(), Status> {
    for path in record.recording.iter().chain(&record.journal) {
        match tokio::fs::remove_file(path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!(path = %path.display(), %error, "a file of a call cannot be erased");
                return Err(Status::unavailable("a file cannot be removed: the log says which"));
            }
            _ => {}
        }
    }
    let call = &record.summary;
    let number = match call.direction {
        CallDirection::Inbound => &call.caller,
        CallDirection::Outbound => &call.called,
    };
    let erased = store.erase_call(&call.id, number, &who.token_id).await;
    erased.map_err(|e| unreadable(&e))?;
    let event = CallEvent::now(end_of(record), "call.erased", json!({ "reason": reason }));
    store.append_later(&call.id, event).await.map_err(|e| unreadable(&e))
}

/// The file of a call that is over.
fn recording(record: &CallRecord) -> Result<PathBuf, Status> {
    if record.summary.end_reason.is_none() {
        return Err(Status::failed_precondition("call_id: the call is not over yet"));
    }
    let none =
        || Status::not_found("call_id: the call was not recorded, or its recording was erased");
    record.recording.clone().ok_or_else(none)
}

/// Size and SHA-256 of a file.
async fn measured(path: &Path) -> Result<(u64, String), Status> {
    let mut file = File::open(path).await.map_err(|e| gone(path, &e))?;
    let (mut size, mut hasher) = (0, Sha256::new());
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).await.map_err(|e| gone(path, &e))? {
            0 => break,
            n => {
                size += n as u64;
                hasher.update(&piece[..n]);
            }
        }
    }
    let digest = hasher.finalize();
    Ok((size, digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// A part of a file on its way.
struct Part {
    offset: u64,
    left: u64,
    total_size: u64,
    sha256: String,
}

impl Part {
    async fn send(
        mut self,
        mut file: File,
        to: mpsc::Sender<Result<RecordingsGetResponse, Status>>,
    ) {
        loop {
            let size = self.left.min(PIECE as u64) as usize;
            let mut data = vec![0; size];
            let piece = match file.read_exact(&mut data).await {
                Ok(_) => Ok(RecordingsGetResponse {
                    offset: self.offset,
                    data,
                    total_size: self.total_size,
                    sha256: std::mem::take(&mut self.sha256),
                }),
                Err(error) => Err(Status::data_loss(format!("the recording changed: {error}"))),
            };
            let over = piece.is_err();
            self.offset += size as u64;
            self.left -= size as u64;
            if to.send(piece).await.is_err() || over || self.left == 0 {
                return;
            }
        }
    }
}

fn gone(path: &Path, error: &std::io::Error) -> Status {
    tracing::error!(path = %path.display(), %error, "a recording cannot be read");
    Status::not_found("call_id: its recording is not there any more")
}
