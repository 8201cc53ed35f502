//! `Dialplans`: what answers numbers, checked and tried.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

use super::{
    Parts,
    ask::{self, wrong},
    diff::unified,
    gate::identity,
    simulate::simulated,
};
use crate::{
    dialplan::{self, Dialplan, DialplanError},
    proto::{
        DialplanFinding, DialplanSource, DialplanSummary, DialplansDiffRequest,
        DialplansDiffResponse, DialplansListRequest, DialplansListResponse,
        DialplansSimulateRequest, DialplansSimulateResponse, DialplansValidateRequest,
        DialplansValidateResponse, Severity, dialplans_server::Dialplans,
    },
    store::Identity,
};

/// Bytes that a dialplan may have.
const TEXT: usize = 1024 * 1024;

pub(super) struct DialplansService {
    pub(super) parts: Parts,
}

#[tonic::async_trait]
impl Dialplans for DialplansService {
    async fn list(
        &self,
        request: Request<DialplansListRequest>,
    ) -> Result<Response<DialplansListResponse>, Status> {
        let who = identity(request.extensions())?;
        let answering = self.parts.house.answering();
        let own = answering.iter().filter(|answering| answering.tenant == who.tenant);
        let own: Vec<_> = own.collect();
        let summary = |plan: Arc<Dialplan>| {
            let answers = own.iter().filter(|answering| answering.dialplan.name() == plan.name());
            summary(&plan, answers.map(|answering| answering.number.clone()).collect())
        };
        let dialplans = self.parts.house.dialplans(&who.tenant).into_iter().map(summary).collect();
        Ok(Response::new(DialplansListResponse { dialplans }))
    }

    async fn validate(
        &self,
        request: Request<DialplansValidateRequest>,
    ) -> Result<Response<DialplansValidateResponse>, Status> {
        let source = request.into_inner().source;
        let (valid, findings) = match checked(source).await? {
            Ok(plan) => (true, plan.warnings().iter().map(finding).collect()),
            Err(found) => (false, found.iter().map(finding).collect()),
        };
        Ok(Response::new(DialplansValidateResponse { valid, findings }))
    }

    async fn diff(
        &self,
        request: Request<DialplansDiffRequest>,
    ) -> Result<Response<DialplansDiffResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let from = named(&self.parts, &who, "name", &asked.name)?;
        let DialplanSource { text, .. } =
            asked.source.ok_or_else(|| wrong("source", "is needed"))?;
        if text.len() > TEXT {
            return Err(wrong("source.text", format_args!("has more than {TEXT} bytes")));
        }
        let name = format!("{} version {}", from.name(), from.version());
        let compared = move || unified((&name, &from.source().text), ("source", &text));
        let unified = spawn_blocking(compared).await.map_err(broken)?;
        Ok(Response::new(DialplansDiffResponse { unified }))
    }

    async fn simulate(
        &self,
        request: Request<DialplansSimulateRequest>,
    ) -> Result<Response<DialplansSimulateResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let plan = match (asked.name.as_str(), &asked.source) {
            ("", source) => match checked(source.clone()).await? {
                Ok(plan) => Arc::new(plan),
                Err(found) => return Err(wrong("source", listed(&found))),
            },
            (name, None) => named(&self.parts, &who, "name", name)?,
            (_, Some(_)) => return Err(wrong("source", "give it or `name`, not both")),
        };
        let played = spawn_blocking(move || simulated(plan, &asked)).await.map_err(broken)??;
        Ok(Response::new(played))
    }
}

/// The dialplan of the tenant's that is called `name`; `field` is where its name stands.
pub(super) fn named(
    parts: &Parts,
    who: &Identity,
    field: &str,
    name: &str,
) -> Result<Arc<Dialplan>, Status> {
    ask::text(field, name, 200)?;
    let mut own = parts.house.dialplans(&who.tenant).into_iter();
    let none = || Status::not_found(format!("{field}: there is no dialplan {name}"));
    own.find(|plan| plan.name() == name).ok_or_else(none)
}

fn summary(plan: &Dialplan, numbers: Vec<String>) -> DialplanSummary {
    DialplanSummary {
        name: plan.name().to_owned(),
        numbers,
        languages: plan.languages().iter().map(ToString::to_string).collect(),
        version: plan.version().to_string(),
        hash: plan.content_hash().to_owned(),
    }
}

/// Reads a dialplan on a thread that may block: training its classifiers takes a moment.
async fn checked(
    source: Option<DialplanSource>,
) -> Result<Result<Dialplan, Vec<DialplanError>>, Status> {
    let DialplanSource { text, tables } = source.ok_or_else(|| wrong("source", "is needed"))?;
    if text.len() > TEXT {
        return Err(wrong("source.text", format_args!("has more than {TEXT} bytes")));
    }
    let mut source = dialplan::DialplanSource::inline("dialplan.yaml", text);
    source.tables = tables;
    spawn_blocking(move || Dialplan::from_source(source)).await.map_err(broken)
}

fn finding(error: &DialplanError) -> DialplanFinding {
    let severity = match error.severity {
        dialplan::Severity::Warning => Severity::Warning,
        dialplan::Severity::Error => Severity::Error,
    };
    DialplanFinding {
        severity: severity.into(),
        line: error.line.try_into().unwrap_or(0),
        column: error.column.try_into().unwrap_or(0),
        message: error.what.clone(),
        help: error.remedy.clone(),
    }
}

fn listed(found: &[DialplanError]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn broken(error: tokio::task::JoinError) -> Status {
    tracing::error!(%error, "a dialplan could not be worked on");
    Status::internal("the dialplan could not be worked on: this is a bug, and in the log")
}
