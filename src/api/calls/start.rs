//! Calls that are placed.

use tonic::{Request, Response, Status};

use super::{
    CallsService,
    command::{address, ring},
};
use crate::{
    api::{NotPlaced, Outgoing, ask, dialplans::named, gate::identity, writes::Write},
    proto::{CallsStartRequest, CallsStartResponse},
};

/// Slots that may be given from the beginning.
const VARIABLES: usize = 100;

impl CallsService {
    pub(super) async fn place(
        &self,
        request: Request<CallsStartRequest>,
    ) -> Result<Response<CallsStartResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let write = Write {
            who: who.clone(),
            action: "Calls.Start",
            object: asked.dialplan.clone(),
            key: asked.idempotency_key.clone(),
        };
        let (parts, new) = (self.parts.clone(), asked.clone());
        let work = async move {
            let to = address("to", &new.to)?.to_owned();
            // What a tenant may not see it may not have talk either.
            named(&parts, &who, "dialplan", &new.dialplan)?;
            if new.variables.len() > VARIABLES {
                let problem = format_args!("has more than {VARIABLES}");
                return Err(ask::wrong("variables", problem));
            }
            let given = |value: &str| (!value.is_empty()).then(|| value.to_owned());
            let call = Outgoing {
                tenant: who.tenant.clone(),
                to,
                trunk: given(ask::at_most("trunk", &new.trunk, 64)?),
                caller_id: given(&new.caller_id)
                    .map(|number| address("caller_id", &number).map(str::to_owned))
                    .transpose()?,
                dialplan: new.dialplan.clone(),
                variables: new.variables.clone(),
                ring: ring(new.ring_seconds)?,
            };
            let call_id = parts.house.place(call).await.map_err(not_placed)?;
            Ok(CallsStartResponse { call_id })
        };
        self.writes.once(write, &asked, work).await
    }
}

fn not_placed(error: NotPlaced) -> Status {
    match error {
        NotPlaced::Wrong { field, problem } => ask::wrong(field, problem),
        NotPlaced::Full(why) => Status::resource_exhausted(why),
        NotPlaced::Away(why) => Status::unavailable(why),
    }
}
