//! Who may call what: every method of the API with every wrong identity.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod any_method;
mod api_support;

use std::collections::BTreeSet;

use any_method::{ask, implemented};
use api_support::Served;
use hotline::{api::roles, store::Role};
use tonic::Code;

/// What somebody of another tenant gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// There is no such thing.
    NotFound,
    /// An answer in which nothing of the first tenant's is.
    Nothing,
}

use Other::{NotFound, Nothing};

/// For every method, what a request about things of `acme` gives somebody of `bank`.
const OTHERS: &[(&str, Other)] = &[
    ("/hotline.v1.Admin/CreateToken", NotFound),
    ("/hotline.v1.Admin/GetQuotas", Nothing),
    ("/hotline.v1.Admin/ListAudit", Nothing),
    ("/hotline.v1.Admin/ListNumbers", Nothing),
    ("/hotline.v1.Admin/ListTenants", Nothing),
    ("/hotline.v1.Admin/ListTokens", Nothing),
    ("/hotline.v1.Admin/ListTrunks", Nothing),
    ("/hotline.v1.Admin/RevokeToken", NotFound),
    ("/hotline.v1.Admin/VerifyAudit", Nothing),
    ("/hotline.v1.Calls/Get", NotFound),
    ("/hotline.v1.Calls/GiveBack", NotFound),
    ("/hotline.v1.Calls/HangUp", NotFound),
    ("/hotline.v1.Calls/Hold", NotFound),
    ("/hotline.v1.Calls/List", Nothing),
    ("/hotline.v1.Calls/Mute", NotFound),
    ("/hotline.v1.Calls/Play", NotFound),
    ("/hotline.v1.Calls/Record", NotFound),
    ("/hotline.v1.Calls/Resume", NotFound),
    ("/hotline.v1.Calls/Say", NotFound),
    ("/hotline.v1.Calls/SendKeys", NotFound),
    ("/hotline.v1.Calls/SetVariable", NotFound),
    ("/hotline.v1.Calls/Start", NotFound),
    ("/hotline.v1.Calls/TakeOver", NotFound),
    ("/hotline.v1.Calls/Transfer", NotFound),
    ("/hotline.v1.Calls/Watch", NotFound),
    ("/hotline.v1.Dialplans/Diff", NotFound),
    ("/hotline.v1.Dialplans/List", Nothing),
    ("/hotline.v1.Dialplans/Simulate", NotFound),
    ("/hotline.v1.Dialplans/Validate", Nothing),
    ("/hotline.v1.Dispositions/Correct", NotFound),
    ("/hotline.v1.Dispositions/ListPending", Nothing),
    ("/hotline.v1.Dispositions/WriteBack", NotFound),
    ("/hotline.v1.Events/Subscribe", Nothing),
    ("/hotline.v1.Feedback/Give", NotFound),
    ("/hotline.v1.Knowledge/List", NotFound),
    ("/hotline.v1.Recordings/Erase", NotFound),
    ("/hotline.v1.Recordings/Get", NotFound),
    ("/hotline.v1.Recordings/GetTranscript", NotFound),
    ("/hotline.v1.Reports/Query", Nothing),
];

#[test]
fn every_method_has_roles_and_an_answer_for_others() {
    let methods: BTreeSet<String> = implemented().map(|method| path(&method)).collect();
    let without: Vec<&String> = methods.iter().filter(|m| roles(m).is_none()).collect();
    assert!(without.is_empty(), "src/api/access.rs says not who may call {without:?}");
    let tried: BTreeSet<String> = OTHERS.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(methods, tried, "each method is tried with another tenant's token, below");
}

#[tokio::test]
async fn without_a_good_token_no_method_is_called() {
    let served = Served::new().await;
    let channel = served.channel().await;
    let (token, revoked) = served.store.create_token("acme", Role::Admin, None).await.unwrap();
    assert!(served.store.revoke(None, &token.id).await.unwrap());
    for method in implemented() {
        for token in [None, Some("hl_00000000_nonsense"), Some(&*revoked)] {
            let status = ask(&channel, &method, token, &[]).await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{} {token:?}", path(&method));
        }
    }
}

#[tokio::test]
async fn every_role_may_call_its_methods_and_no_others() {
    let served = Served::new().await;
    let channel = served.channel().await;
    for role in Role::ALL {
        for method in implemented() {
            let token = served.token("bank", role).await;
            let answer = ask(&channel, &method, Some(&token), &[]).await;
            let code = answer.err().map_or(Code::Ok, |status| status.code());
            let may = roles(&path(&method)).unwrap().contains(&role);
            assert_eq!(code != Code::PermissionDenied, may, "{role} {}: {code}", path(&method));
            assert!(
                !matches!(code, Code::Unauthenticated | Code::Unimplemented | Code::Internal),
                "{role} {}: {code}",
                path(&method)
            );
        }
    }
}

#[tokio::test]
async fn what_is_a_tenants_is_not_there_for_others() {
    let served = Served::new().await;
    let channel = served.channel().await;
    let (token, _) = served.store.create_token("acme", Role::Operator, None).await.unwrap();
    served.call("acme", "call-of-acme").await;
    served.call("bank", "call-of-bank").await;
    let about = [
        ("call_id", "call-of-acme"),
        ("token_id", &token.id),
        ("tenant_id", "acme"),
        ("name", "utility-hotline"),
        ("dialplan", "utility-hotline"),
    ];
    // What is only read comes first: the audit log of the bank has what the bank itself has tried.
    let mut methods: Vec<_> =
        implemented().zip(OTHERS).map(|(m, (_, other))| (m, *other)).collect();
    methods.sort_by_key(|(_, other)| *other == NotFound);
    for (method, other) in methods {
        let path = path(&method);
        let stranger = served.token("bank", Role::Admin).await;
        match (other, ask(&channel, &method, Some(&stranger), &about).await) {
            (NotFound, answer) => {
                let status = answer.expect_err(&path);
                assert_eq!(status.code(), Code::NotFound, "{path}: {}", status.message());
            }
            (Nothing, answer) => {
                let answer = answer.unwrap_or_else(|status| panic!("{path}: {status:?}"));
                for theirs in ["call-of-acme", "acme", &token.id, "4001", "utility-hotline"] {
                    assert!(!contains(&answer, theirs), "{path} tells {theirs}");
                }
            }
        }
    }
}

/// What a stranger is refused is there for its own tenant: the requests of the test above are good ones.
#[tokio::test]
async fn the_same_requests_are_answered_to_their_own_tenant() {
    let served = Served::new().await;
    let channel = served.channel().await;
    for (method, other) in
        implemented().map(|method| (path(&method), method)).zip(OTHERS).map(|((p, m), o)| {
            assert_eq!(p, o.0);
            (m, o.1)
        })
    {
        let id = format!("call-{}-{}", method.parent_service().name(), method.name());
        served.call("acme", &id).await;
        let (token, _) = served.store.create_token("acme", Role::Operator, None).await.unwrap();
        let own = served.token("acme", Role::Admin).await;
        let about = [
            ("call_id", &*id),
            ("token_id", &token.id),
            ("tenant_id", "acme"),
            ("name", "utility-hotline"),
            ("dialplan", "utility-hotline"),
        ];
        let answer = ask(&channel, &method, Some(&own), &about).await;
        let code = answer.err().map_or(Code::Ok, |status| status.code());
        // Calls that are over cannot be driven, and these were not recorded.
        let expected: &[Code] = match (path(&method).as_str(), other) {
            ("/hotline.v1.Recordings/Get", _) => &[Code::NotFound],
            ("/hotline.v1.Calls/Start", _) => &[Code::Unavailable],
            (path, NotFound) if path.contains("Calls/") => &[Code::Ok, Code::FailedPrecondition],
            _ => &[Code::Ok],
        };
        assert!(expected.contains(&code), "{}: {code}", path(&method));
    }
}

fn path(method: &prost_reflect::MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn contains(answer: &[u8], text: &str) -> bool {
    answer.windows(text.len()).any(|window| window == text.as_bytes())
}
