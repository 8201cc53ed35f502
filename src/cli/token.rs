//! `hotline token`: who may use the API.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::json;
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, macros::format_description};

use super::{moment, runtime};
use crate::{
    service::{Config, Tenants},
    store::{Deed, Role, Store},
};

/// Arguments of `hotline token`.
#[derive(Debug, clap::Args)]
pub struct TokenArgs {
    /// The configuration that names tenants and the database.
    #[arg(long, default_value = "hotline.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    /// Make a token and print it: it is shown this once.
    Create {
        /// Whose calls and events it may see and change.
        #[arg(long, default_value = crate::store::DEFAULT_TENANT)]
        tenant: String,
        /// operator, supervisor, integrator or admin.
        #[arg(long)]
        role: Role,
        /// Until when it is good: a date such as 2027-06-30 (its end, UTC), or days such as 90d; else for ever.
        #[arg(long)]
        expires: Option<String>,
    },
    /// Tokens with tenant, role and dates.
    List {
        /// Of this tenant alone.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Make a token worthless.
    Revoke {
        /// Its id, as listed: the first part of the token.
        id: String,
    },
}

/// Makes, lists or revokes tokens.
///
/// # Errors
/// When the configuration or the database cannot be used, or there is no such tenant or token.
pub fn run(args: TokenArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    runtime()?.block_on(async {
        config.data.make_dir()?;
        let store = Store::open_database(&config.data.database()?).await?;
        match args.command {
            TokenCommand::Create { tenant, role, expires } => {
                Tenants::new(&config)?.check(&tenant, "--tenant")?;
                let expires = expires.map(|text| until(&text)).transpose()?;
                let (token, text) = store.create_token(&tenant, role, expires).await?;
                let details = json!({ "role": role.as_str(), "expires": expires.map(moment) });
                audited(&store, &tenant, "token.create", &token.id, details).await?;
                eprintln!("token {} for {tenant}, {role}; it is shown this once:", token.id);
                println!("{text}");
            }
            TokenCommand::List { tenant } => list(&store, tenant.as_deref()).await?,
            TokenCommand::Revoke { id } => {
                let tokens = store.list_tokens(None).await?;
                let known = tokens.into_iter().find(|token| token.id == id);
                let token = known.with_context(|| {
                    format!("no token has the id {id}: `hotline token list` shows them")
                })?;
                if !store.revoke(None, &id).await? {
                    bail!("token {id} was revoked before");
                }
                audited(&store, &token.tenant, "token.revoke", &id, json!({})).await?;
                println!("token {id} is worthless now");
            }
        }
        store.close().await;
        Ok(())
    })
}

async fn list(store: &Store, tenant: Option<&str>) -> anyhow::Result<()> {
    println!(
        "{:<10} {:<16} {:<12} {:<20} {:<20} STATE",
        "ID", "TENANT", "ROLE", "CREATED (UTC)", "EXPIRES"
    );
    let now = OffsetDateTime::now_utc();
    for token in store.list_tokens(tenant).await? {
        let state = match (token.revoked_at, token.expires_at) {
            (Some(at), _) => format!("revoked {}", moment(at)),
            (None, Some(until)) if until <= now => "expired".to_owned(),
            _ => "good".to_owned(),
        };
        println!(
            "{:<10} {:<16} {:<12} {:<20} {:<20} {state}",
            token.id,
            token.tenant,
            token.role.as_str(),
            moment(token.created_at),
            token.expires_at.map_or_else(|| "-".to_owned(), moment),
        );
    }
    Ok(())
}

/// Puts what a command did on record.
pub(super) async fn audited(
    store: &Store,
    tenant: &str,
    action: &str,
    object: &str,
    details: serde_json::Value,
) -> anyhow::Result<()> {
    let deed = Deed {
        tenant: tenant.to_owned(),
        who: "cli".to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        details,
    };
    store.audit(deed).await?;
    Ok(())
}

fn until(text: &str) -> anyhow::Result<OffsetDateTime> {
    let now = OffsetDateTime::now_utc();
    let wrong =
        || format!("--expires {text}: write a date such as 2027-06-30, or days such as 90d");
    let until = match text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        Some(days) => now.checked_add(Duration::days(days.into())).with_context(wrong)?,
        None => {
            let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
            let next = date.ok().and_then(Date::next_day).with_context(wrong)?;
            PrimitiveDateTime::new(next, Time::MIDNIGHT).assume_utc()
        }
    };
    if until <= now {
        bail!("--expires {text} is past");
    }
    Ok(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_through_its_last_day_or_for_some_days() {
        let date = until("2999-06-30").unwrap();
        assert_eq!(moment(date), "2999-07-01 00:00:00");
        let days = until("90d").unwrap() - OffsetDateTime::now_utc();
        assert_eq!(days.whole_hours(), 90 * 24 - 1);
        for wrong in ["2020-01-01", "0d", "soon", "2027-02-30", ""] {
            assert!(until(wrong).is_err(), "{wrong}");
        }
    }
}
