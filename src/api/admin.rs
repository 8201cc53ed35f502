//! `Admin`: tenants, trunks, numbers, limits, tokens and the audit log.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use super::{
    Parts,
    ask::{self, timestamp, wrong},
    gate::identity,
    limits::Limits,
    own::unreadable,
    writes::{Write, Writes},
};
use crate::{
    proto::{
        AdminCreateTokenRequest, AdminCreateTokenResponse, AdminGetQuotasRequest,
        AdminGetQuotasResponse, AdminListAuditRequest, AdminListAuditResponse,
        AdminListNumbersRequest, AdminListNumbersResponse, AdminListTenantsRequest,
        AdminListTenantsResponse, AdminListTokensRequest, AdminListTokensResponse,
        AdminListTrunksRequest, AdminListTrunksResponse, AdminRevokeTokenRequest,
        AdminRevokeTokenResponse, AdminVerifyAuditRequest, AdminVerifyAuditResponse, AuditEntry,
        NumberState, Role, Tenant, Token, TrunkState, admin_server::Admin,
    },
    sip,
    store::{self, AuditVerdict, DEFAULT_TENANT, Identity},
};

pub(super) struct AdminService {
    pub(super) parts: Parts,
    pub(super) writes: Writes,
    pub(super) limits: Limits,
}

#[tonic::async_trait]
impl Admin for AdminService {
    async fn list_tenants(
        &self,
        request: Request<AdminListTenantsRequest>,
    ) -> Result<Response<AdminListTenantsResponse>, Status> {
        let who = identity(request.extensions())?;
        let mut calls: BTreeMap<String, u32> = BTreeMap::new();
        for status in self.parts.calls.list() {
            *calls.entry(status.tenant.to_string()).or_default() += 1;
        }
        let seen = |tenant: &String| runs_all(who) || *tenant == who.tenant;
        let tenants = self.parts.house.tenants().into_iter().filter(seen).map(|tenant_id| {
            let calls = calls.get(&tenant_id).copied().unwrap_or_default();
            Tenant { tenant_id, calls }
        });
        Ok(Response::new(AdminListTenantsResponse { tenants: tenants.collect() }))
    }

    async fn list_trunks(
        &self,
        _request: Request<AdminListTrunksRequest>,
    ) -> Result<Response<AdminListTrunksResponse>, Status> {
        let trunks = self.parts.house.trunks().into_iter().map(trunk);
        Ok(Response::new(AdminListTrunksResponse { trunks: trunks.collect() }))
    }

    async fn list_numbers(
        &self,
        request: Request<AdminListNumbersRequest>,
    ) -> Result<Response<AdminListNumbersResponse>, Status> {
        let who = identity(request.extensions())?;
        let answering = self.parts.house.answering().into_iter();
        let numbers =
            answering.filter(|number| number.tenant == who.tenant).map(|answering| NumberState {
                number: answering.number,
                trunk: answering.trunk.unwrap_or_default(),
                dialplan: answering.dialplan.name().to_owned(),
                recorded: answering.recorded,
            });
        Ok(Response::new(AdminListNumbersResponse { numbers: numbers.collect() }))
    }

    async fn get_quotas(
        &self,
        request: Request<AdminGetQuotasRequest>,
    ) -> Result<Response<AdminGetQuotasResponse>, Status> {
        let who = identity(request.extensions())?;
        let calls = self.parts.calls.list();
        let own = calls.iter().filter(|status| *status.tenant == *who.tenant).count();
        Ok(Response::new(AdminGetQuotasResponse {
            max_calls: counted(self.parts.house.max_calls(&who.tenant)),
            calls: counted(own),
            requests_per_second: self.limits.per_second(),
            max_subscribers: self.limits.max_streams(),
            subscribers: self.limits.streams(&who.tenant),
        }))
    }

    async fn create_token(
        &self,
        request: Request<AdminCreateTokenRequest>,
    ) -> Result<Response<AdminCreateTokenResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let write = Write {
            who: who.clone(),
            action: "Admin.CreateToken",
            object: asked.tenant_id.clone(),
            key: asked.idempotency_key.clone(),
        };
        let (parts, new) = (self.parts.clone(), asked.clone());
        let work = async move {
            let tenant = tenant(&parts, &who, &new.tenant_id)?;
            let role = role(new.role())?;
            let until = ask::moment("expires_at", new.expires_at)?;
            if until.is_some_and(|until| until <= OffsetDateTime::now_utc()) {
                return Err(wrong("expires_at", "is past"));
            }
            let made = parts.store.create_token(&tenant, role, until).await;
            let (made, secret) = made.map_err(|e| unreadable(&e))?;
            Ok(AdminCreateTokenResponse { token: Some(token(made)), secret })
        };
        self.writes.once(write, &asked, work).await
    }

    async fn list_tokens(
        &self,
        request: Request<AdminListTokensRequest>,
    ) -> Result<Response<AdminListTokensResponse>, Status> {
        let who = identity(request.extensions())?;
        let tokens = self.parts.store.list_tokens(Some(&who.tenant)).await;
        let tokens = tokens.map_err(|e| unreadable(&e))?.into_iter().map(token);
        Ok(Response::new(AdminListTokensResponse { tokens: tokens.collect() }))
    }

    async fn revoke_token(
        &self,
        request: Request<AdminRevokeTokenRequest>,
    ) -> Result<Response<AdminRevokeTokenResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let id = ask::text("token_id", &asked.token_id, 64)?.to_owned();
        let write = Write {
            who: who.clone(),
            action: "Admin.RevokeToken",
            object: id.clone(),
            key: asked.idempotency_key.clone(),
        };
        let store = self.parts.store.clone();
        let work = async move {
            match store.revoke(Some(&who.tenant), &id).await.map_err(|e| unreadable(&e))? {
                true => Ok(AdminRevokeTokenResponse {}),
                false => Err(Status::not_found("token_id: there is no such token that is good")),
            }
        };
        self.writes.once(write, &asked, work).await
    }

    async fn list_audit(
        &self,
        request: Request<AdminListAuditRequest>,
    ) -> Result<Response<AdminListAuditResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let AdminListAuditRequest { after, page_size } = request.into_inner();
        let size = ask::page_size(page_size, 100, 1_000)?;
        let rows = self.parts.store.audit_rows(Some(&who.tenant), after, size).await;
        let entries = rows.map_err(|e| unreadable(&e))?.into_iter().map(|row| AuditEntry {
            sequence: row.seq,
            at: Some(timestamp(row.time)),
            token_id: row.deed.who,
            action: row.deed.action,
            object: row.deed.object,
            details_json: row.deed.details.to_string(),
            hash: row.hash,
        });
        Ok(Response::new(AdminListAuditResponse { entries: entries.collect() }))
    }

    async fn verify_audit(
        &self,
        _request: Request<AdminVerifyAuditRequest>,
    ) -> Result<Response<AdminVerifyAuditResponse>, Status> {
        let verdict = self.parts.store.verify_audit().await.map_err(|e| unreadable(&e))?;
        Ok(Response::new(match verdict {
            AuditVerdict::Whole { rows } => {
                AdminVerifyAuditResponse { intact: true, entries: rows, problem: String::new() }
            }
            AuditVerdict::Broken { seq, why } => AdminVerifyAuditResponse {
                intact: false,
                entries: seq,
                problem: format!("entry {seq}: {why}"),
            },
        }))
    }
}

/// Whether somebody is of the tenant that runs the installation.
fn runs_all(who: &Identity) -> bool {
    who.tenant == DEFAULT_TENANT
}

/// The tenant that a token is for.
fn tenant(parts: &Parts, who: &Identity, asked: &str) -> Result<String, Status> {
    if asked.is_empty() || asked == who.tenant {
        return Ok(who.tenant.clone());
    }
    let known = runs_all(who) && parts.house.tenants().iter().any(|tenant| tenant == asked);
    // A tenant learns nothing of the others, not even their names.
    let none = || Status::not_found("tenant_id: there is no such tenant");
    known.then(|| asked.to_owned()).ok_or_else(none)
}

fn role(role: Role) -> Result<store::Role, Status> {
    match role {
        Role::Unspecified => Err(wrong("role", "is needed")),
        Role::Operator => Ok(store::Role::Operator),
        Role::Supervisor => Ok(store::Role::Supervisor),
        Role::Integrator => Ok(store::Role::Integrator),
        Role::Admin => Ok(store::Role::Admin),
    }
}

fn token(token: store::Token) -> Token {
    let role = match token.role {
        store::Role::Operator => Role::Operator,
        store::Role::Supervisor => Role::Supervisor,
        store::Role::Integrator => Role::Integrator,
        store::Role::Admin => Role::Admin,
    };
    Token {
        token_id: token.id,
        tenant_id: token.tenant,
        role: role.into(),
        created_at: Some(timestamp(token.created_at)),
        expires_at: token.expires_at.map(timestamp),
        revoked_at: token.revoked_at.map(timestamp),
    }
}

fn trunk(state: sip::TrunkState) -> TrunkState {
    let reachable = (!state.targets.is_empty()).then(|| state.targets.iter().any(|(_, up)| *up));
    TrunkState {
        name: state.name,
        targets: state.targets.into_iter().map(|(target, _)| target).collect(),
        calls: counted(state.calls),
        reachable,
        registered: state.registered,
    }
}

fn counted(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
