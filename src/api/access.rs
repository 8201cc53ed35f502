//! Who may call which method.

use crate::store::Role;

use Role::{Admin, Integrator, Operator, Supervisor};

/// Everybody with a token.
const ALL: &[Role] = &[Operator, Supervisor, Integrator, Admin];
/// Everybody but agents' desktops.
const STAFF: &[Role] = &[Supervisor, Integrator, Admin];
/// People in charge.
const HEADS: &[Role] = &[Supervisor, Admin];
/// The CRM itself.
const SYSTEMS: &[Role] = &[Integrator, Admin];
const ADMINS: &[Role] = &[Admin];

/// Every method that Hotline implements, and the roles that may call it. A method without an entry is refused.
const METHODS: &[(&str, &[Role])] = &[
    ("/hotline.v1.Admin/CreateToken", ADMINS),
    ("/hotline.v1.Admin/GetQuotas", STAFF),
    ("/hotline.v1.Admin/ListAudit", ADMINS),
    ("/hotline.v1.Admin/ListNumbers", STAFF),
    ("/hotline.v1.Admin/ListTenants", ADMINS),
    ("/hotline.v1.Admin/ListTokens", ADMINS),
    ("/hotline.v1.Admin/ListTrunks", HEADS),
    ("/hotline.v1.Admin/RevokeToken", ADMINS),
    ("/hotline.v1.Admin/VerifyAudit", ADMINS),
    ("/hotline.v1.Calls/Get", ALL),
    ("/hotline.v1.Calls/GiveBack", ALL),
    ("/hotline.v1.Calls/HangUp", ALL),
    ("/hotline.v1.Calls/Hold", ALL),
    ("/hotline.v1.Calls/List", ALL),
    ("/hotline.v1.Calls/Mute", ALL),
    ("/hotline.v1.Calls/Play", ALL),
    ("/hotline.v1.Calls/Record", ALL),
    ("/hotline.v1.Calls/Resume", ALL),
    ("/hotline.v1.Calls/Say", ALL),
    ("/hotline.v1.Calls/SendKeys", ALL),
    ("/hotline.v1.Calls/SetVariable", STAFF),
    ("/hotline.v1.Calls/Start", STAFF),
    ("/hotline.v1.Calls/TakeOver", ALL),
    ("/hotline.v1.Calls/Transfer", ALL),
    ("/hotline.v1.Calls/Watch", ALL),
    ("/hotline.v1.Dialplans/Diff", STAFF),
    ("/hotline.v1.Dialplans/List", STAFF),
    ("/hotline.v1.Dialplans/Simulate", STAFF),
    ("/hotline.v1.Dialplans/Validate", STAFF),
    ("/hotline.v1.Dispositions/Correct", ALL),
    ("/hotline.v1.Dispositions/ListPending", STAFF),
    ("/hotline.v1.Dispositions/WriteBack", SYSTEMS),
    ("/hotline.v1.Events/Subscribe", ALL),
    ("/hotline.v1.Feedback/Give", ALL),
    ("/hotline.v1.Knowledge/List", STAFF),
    ("/hotline.v1.Recordings/Erase", HEADS),
    ("/hotline.v1.Recordings/Get", STAFF),
    ("/hotline.v1.Recordings/GetTranscript", ALL),
    ("/hotline.v1.Reports/Query", STAFF),
];

/// Services that anybody may call: they tell what is public anyway.
const OPEN: &[&str] = &["/grpc.health.v1.Health/", "/grpc.reflection."];

/// The roles that may call the method at `path`; `None` when there is no such method.
pub fn roles(path: &str) -> Option<&'static [Role]> {
    METHODS.iter().find(|(method, _)| *method == path).map(|(_, roles)| *roles)
}

/// Whether the method at `path` may be called without a token.
pub(super) fn open(path: &str) -> bool {
    OPEN.iter().any(|service| path.starts_with(service))
}
