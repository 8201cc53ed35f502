//! A CRM learns over gRPC who is coming, before the agent's phone rings.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};

use hotline::{
    api::CrmScreen,
    audio::CallTime,
    call::{HandOver, HandOverReason, ScreenPop, Speaker, Utterance},
    crm::{Crm, CrmConfig},
    dialog::TransferMode,
    proto::{
        self, ScreenPopPushRequest, ScreenPopPushResponse,
        screen_pop_server::{ScreenPop as Service, ScreenPopServer},
    },
    store::CallDirection,
    text::Lang,
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

/// A CRM that shows what it is told, unless it refuses.
#[derive(Clone, Default)]
struct Desk {
    shown: Arc<Mutex<Vec<ScreenPopPushRequest>>>,
    refuses: bool,
}

#[tonic::async_trait]
impl Service for Desk {
    async fn push(
        &self,
        request: Request<ScreenPopPushRequest>,
    ) -> Result<Response<ScreenPopPushResponse>, Status> {
        if self.refuses {
            return Err(Status::resource_exhausted("no agent is free"));
        }
        self.shown.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ScreenPopPushResponse {}))
    }
}

async fn screen(desk: &Desk) -> CrmScreen {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Some(format!("http://{}", listener.local_addr().unwrap()));
    let server = Server::builder().add_service(ScreenPopServer::new(desk.clone()));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    CrmScreen::new(Crm::new(&CrmConfig { url, ..CrmConfig::default() }).unwrap())
}

fn caller_who_asked() -> HandOver {
    HandOver {
        call: "call-1".to_owned(),
        tenant: "acme".into(),
        direction: CallDirection::Inbound,
        caller: "13912345678".to_owned(),
        called: "4001".to_owned(),
        to: "sip:agent7@10.0.0.7".to_owned(),
        mode: TransferMode::Bridge,
        lang: Lang::Zh,
        reason: HandOverReason::Asked { intent: "person".to_owned() },
        summary: "来电人想查询公积金余额，要求转人工。".to_owned(),
        intents: vec!["balance".to_owned(), "person".to_owned()],
        slots: [("id_tail".to_owned(), "****".to_owned())].into(),
        identity: Some("verified".to_owned()),
        transcript: vec![
            Utterance {
                at: CallTime::from_ms(500),
                who: Speaker::Bot,
                text: "您好，请问有什么可以帮您？".to_owned(),
            },
            Utterance {
                at: CallTime::from_ms(3_200),
                who: Speaker::Caller,
                text: "我要人工。".to_owned(),
            },
        ],
    }
}

#[tokio::test]
async fn the_whole_package_reaches_the_desk() {
    let desk = Desk::default();
    screen(&desk).await.push(caller_who_asked()).await.unwrap();
    let shown = desk.shown.lock().unwrap().pop().unwrap();
    assert_eq!((&*shown.call_id, &*shown.tenant), ("call-1", "acme"));
    assert_eq!((&*shown.caller, &*shown.to), ("13912345678", "sip:agent7@10.0.0.7"));
    assert_eq!((&*shown.language, &*shown.reason), ("zh", "asked"));
    assert_eq!((&*shown.identity, &*shown.slots["id_tail"]), ("verified", "****"));
    assert_eq!(shown.intents, ["balance", "person"]);
    assert!(shown.summary.contains("公积金余额"), "{}", shown.summary);
    let last = shown.transcript.last().unwrap();
    assert_eq!((last.speaker(), last.at_ms), (proto::Speaker::Caller, 3_200));
    assert_eq!(last.text, "我要人工。");
}

#[tokio::test]
async fn a_desk_that_refuses_is_told_of_and_one_that_is_not_there_too() {
    let refused = screen(&Desk { refuses: true, ..Desk::default() }).await;
    let problem = refused.push(caller_who_asked()).await.unwrap_err();
    assert!(problem.contains("no agent is free"), "{problem}");
    let nobody = CrmScreen::new(Crm::default());
    let problem = nobody.push(caller_who_asked()).await.unwrap_err();
    assert!(problem.contains("crm.url"), "{problem}");
}
