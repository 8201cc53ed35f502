//! `Knowledge`: questions and answers of dialplans.

use tonic::{Request, Response, Status};

use super::{Parts, ask, dialplans::named, gate::identity};
use crate::{
    dialplan::{
        Dialplan,
        model::{Part, Template},
    },
    proto::{
        KnowledgeEntry, KnowledgeListRequest, KnowledgeListResponse, knowledge_server::Knowledge,
    },
};

pub(super) struct KnowledgeService {
    pub(super) parts: Parts,
}

#[tonic::async_trait]
impl Knowledge for KnowledgeService {
    async fn list(
        &self,
        request: Request<KnowledgeListRequest>,
    ) -> Result<Response<KnowledgeListResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let plan = named(&self.parts, &who, "dialplan", &asked.dialplan)?;
        let size = ask::page_size(asked.page_size, 200, 1_000)? as usize;
        let from = usize::try_from(ask::page_offset(&asked.page_token)?).unwrap_or(usize::MAX);
        let all = entries(&plan);
        let more = all.len() > from.saturating_add(size);
        let next_page_token = if more { (from + size).to_string() } else { String::new() };
        let entries = all.into_iter().skip(from).take(size).collect();
        Ok(Response::new(KnowledgeListResponse { entries, next_page_token }))
    }
}

fn entries(plan: &Dialplan) -> Vec<KnowledgeEntry> {
    let mut entries = Vec::new();
    for (id, entry) in &plan.model().knowledge {
        for (lang, questions) in &entry.questions {
            // Of several ways of saying it, the first.
            let wordings = entry.answer.texts.get(lang);
            let answer = wordings.and_then(|w| w.first()).map(written).unwrap_or_default();
            entries.push(KnowledgeEntry {
                entry_id: id.clone(),
                language: lang.to_string(),
                questions: questions.clone(),
                answer,
            });
        }
    }
    entries
}

/// An answer in words, without pauses and ways of speaking; answers have no values in them.
fn written(template: &Template) -> String {
    let words = template.parts.iter().filter_map(|part| match part {
        Part::Words(words) => Some(words.as_str()),
        Part::Value { .. } | Part::Mark(_) => None,
    });
    words.collect()
}
