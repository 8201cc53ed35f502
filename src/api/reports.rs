//! `Reports`: figures over calls.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime, UtcOffset, macros::format_description};
use tonic::{Request, Response, Status};

use super::{
    ask::{self, wrong},
    gate::identity,
    own::unreadable,
};
use crate::{
    proto::{
        ReportDimension, ReportRow, ReportsQueryRequest, ReportsQueryResponse,
        reports_server::Reports,
    },
    store::{ReportedCall, Store},
};

/// Rows of an answer.
const ROWS: usize = 10_000;
/// The longest span of time.
const SPAN: Duration = Duration::days(400);
/// What calls may be grouped by at once.
const DIMENSIONS: usize = 3;

pub(super) struct ReportsService {
    pub(super) store: Store,
}

#[tonic::async_trait]
impl Reports for ReportsService {
    async fn query(
        &self,
        request: Request<ReportsQueryRequest>,
    ) -> Result<Response<ReportsQueryResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let query = Query::read(&request.into_inner())?;
        let mut report = Report::default();
        let counted =
            self.store.each_reported_call(&who.tenant, query.from, query.before, |call| {
                report.add(&query, &call);
            });
        counted.await.map_err(|error| unreadable(&error))?;
        Ok(Response::new(report.answer()?))
    }
}

/// A request that makes sense.
struct Query {
    from: OffsetDateTime,
    before: OffsetDateTime,
    by: Vec<ReportDimension>,
    zone: UtcOffset,
    dialplan: String,
    number: String,
    disposition: String,
}

impl Query {
    fn read(asked: &ReportsQueryRequest) -> Result<Self, Status> {
        let needed =
            |field, value| ask::moment(field, value)?.ok_or_else(|| wrong(field, "is needed"));
        let from = needed("started_from", asked.started_from)?;
        let before = needed("started_before", asked.started_before)?;
        if before <= from || before - from > SPAN {
            return Err(wrong("started_before", "is not after started_from by 400 days at most"));
        }
        let by: Vec<ReportDimension> = asked.group_by().collect();
        if by.contains(&ReportDimension::Unspecified) || by.len() > DIMENSIONS {
            return Err(wrong("group_by", "takes up to three of the dimensions that have a name"));
        }
        let minutes = asked.utc_offset_minutes;
        let zone = Some(minutes).filter(|minutes| (-840..=840).contains(minutes));
        let zone = zone.and_then(|minutes| UtcOffset::from_whole_seconds(minutes * 60).ok());
        let zone = zone.ok_or_else(|| wrong("utc_offset_minutes", "is not from -840 to 840"))?;
        let filter = |field, value: &String| ask::at_most(field, value, 64).map(str::to_owned);
        Ok(Self {
            from,
            before,
            by,
            zone,
            dialplan: filter("dialplan", &asked.dialplan)?,
            number: filter("number", &asked.number)?,
            disposition: filter("disposition", &asked.disposition)?,
        })
    }

    fn counts(&self, call: &ReportedCall) -> bool {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        fits(&self.dialplan, &call.dialplan)
            && fits(&self.number, &call.number)
            && fits(&self.disposition, &call.disposition)
    }

    /// Where a call belongs.
    fn place(&self, by: ReportDimension, call: &ReportedCall) -> String {
        let at = call.started_at.to_offset(self.zone);
        let day = format_description!("[year]-[month]-[day]");
        let hour = format_description!("[year]-[month]-[day]T[hour]");
        match by {
            ReportDimension::Unspecified => String::new(),
            ReportDimension::Day => at.format(&day).unwrap_or_default(),
            ReportDimension::Hour => at.format(&hour).unwrap_or_default(),
            ReportDimension::Dialplan => call.dialplan.clone(),
            ReportDimension::Number => call.number.clone(),
            ReportDimension::Disposition => call.disposition.clone(),
        }
    }
}

/// Rows as they are counted.
#[derive(Default)]
struct Report {
    rows: BTreeMap<Vec<String>, ReportRow>,
    total: ReportRow,
    too_many: bool,
}

impl Report {
    fn add(&mut self, query: &Query, call: &ReportedCall) {
        if self.too_many || !query.counts(call) {
            return;
        }
        let group: Vec<String> = query.by.iter().map(|by| query.place(*by, call)).collect();
        add(self.rows.entry(group).or_default(), call);
        add(&mut self.total, call);
        self.too_many = self.rows.len() > ROWS;
    }

    fn answer(self) -> Result<ReportsQueryResponse, Status> {
        if self.too_many {
            return Err(Status::resource_exhausted(format!(
                "group_by: there are more than {ROWS} rows: ask for a shorter time, or group by less"
            )));
        }
        let rows = self.rows.into_iter().map(|(group, row)| ReportRow { group, ..row });
        Ok(ReportsQueryResponse { rows: rows.collect(), total: Some(self.total) })
    }
}

fn add(row: &mut ReportRow, call: &ReportedCall) {
    row.calls += 1;
    row.turns += call.turns;
    row.no_input += call.no_input;
    row.no_match += call.no_match;
    if call.answered {
        row.answered += 1;
        row.handling_ms += call.duration_ms;
        row.transferred += u64::from(call.transferred);
        row.contained += u64::from(call.over && !call.transferred);
    }
}
