//! `[[trunk]]` in `hotline.toml`: carriers and PBXs.

use std::{fs, path::PathBuf, time::Duration};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

use super::ServiceError;
use crate::{
    call::SrtpPolicy,
    sip::{Credentials, InboundConfig, RegisterConfig, TrunkConfig},
};

/// A way to and from the telephone network.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Its name in logs, records, dialplans and on the command line.
    pub name: String,
    /// Where its calls go, tried in order: `sip:sbc.example.net`, `sip:192.0.2.1;transport=tcp`.
    #[serde(default)]
    pub targets: Vec<String>,
    /// User name of our account with it.
    pub username: Option<String>,
    /// File with the password of our account; one line.
    pub password_file: Option<PathBuf>,
    /// The account to register, `sip:user@domain`; without it, nothing is registered.
    pub register: Option<String>,
    /// How long a registration is asked for, in seconds.
    #[serde(default = "default_register_expires")]
    pub register_expires_s: u64,
    /// Networks and addresses that its calls come from.
    #[serde(default, deserialize_with = "networks")]
    pub accept_from: Vec<IpNet>,
    /// User name that its calls must prove.
    pub accept_username: Option<String>,
    /// File with the password that its calls must prove; one line.
    pub accept_password_file: Option<PathBuf>,
    /// Whether its P-Asserted-Identity may be believed.
    #[serde(default)]
    pub trust_identity: bool,
    /// Our number in calls to it.
    pub caller_id: Option<String>,
    /// Whether callees may not see our number.
    #[serde(default)]
    pub hide_caller_id: bool,
    /// Whether its REFERs connect our callers elsewhere, at our cost.
    #[serde(default)]
    pub allow_refer: bool,
    /// Calls at once, both ways.
    #[serde(default = "default_max_calls")]
    pub max_calls: usize,
    /// Calls to it that begin in one second.
    #[serde(default = "default_max_calls_per_second")]
    pub max_calls_per_second: u32,
    /// Seconds between OPTIONS to its targets; 0 for none.
    #[serde(default = "default_ping")]
    pub ping_s: u64,
    /// SRTP with it, when that differs from `rtp.srtp`.
    pub srtp: Option<SrtpPolicy>,
}

fn default_register_expires() -> u64 {
    600
}

fn default_max_calls() -> usize {
    1_000
}

fn default_max_calls_per_second() -> u32 {
    10
}

fn default_ping() -> u64 {
    30
}

/// Networks, or single addresses in place of networks of one.
fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let read = |text: &String| {
        let address = || text.parse().map(|ip: std::net::IpAddr| IpNet::from(ip)).ok();
        text.parse().ok().or_else(address).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is neither an address nor a network: write it as 203.0.113.7 or \
                 203.0.113.0/24"
            ))
        })
    };
    texts.iter().map(read).collect()
}

impl Trunk {
    /// Files of it, to be made absolute.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.password_file.iter_mut().chain(&mut self.accept_password_file)
    }

    /// The same for the user agent, passwords read.
    ///
    /// # Errors
    /// [`ServiceError::Trunk`] for a password without a user name or the other way round, and for
    /// a password file that cannot be read.
    pub(super) fn config(&self) -> Result<TrunkConfig, ServiceError> {
        let register = self.register.clone().map(|account| RegisterConfig {
            account,
            expires: Duration::from_secs(self.register_expires_s.max(1)),
        });
        Ok(TrunkConfig {
            credentials: self.credentials("", &self.username, &self.password_file)?,
            register,
            inbound: InboundConfig {
                networks: self.accept_from.clone(),
                credentials: self.credentials(
                    "accept_",
                    &self.accept_username,
                    &self.accept_password_file,
                )?,
                trust_identity: self.trust_identity,
            },
            caller_id: self.caller_id.clone(),
            hide_caller_id: self.hide_caller_id,
            allow_refer: self.allow_refer,
            max_calls: self.max_calls,
            max_calls_per_second: self.max_calls_per_second,
            ping: (self.ping_s > 0).then(|| Duration::from_secs(self.ping_s)),
            ..TrunkConfig::new(&self.name, self.targets.clone())
        })
    }

    fn credentials(
        &self,
        prefix: &str,
        username: &Option<String>,
        file: &Option<PathBuf>,
    ) -> Result<Option<Credentials>, ServiceError> {
        let wrong = |problem| ServiceError::Trunk { trunk: self.name.clone(), problem };
        match (username, file) {
            (None, None) => Ok(None),
            (Some(username), Some(path)) => {
                let text = fs::read_to_string(path)
                    .map_err(|e| wrong(format!("{prefix}password_file {}: {e}", path.display())))?;
                let password = text.lines().next().unwrap_or_default().to_owned();
                if password.is_empty() {
                    return Err(wrong(format!(
                        "{prefix}password_file {}: its first line is empty",
                        path.display()
                    )));
                }
                Ok(Some(Credentials { username: username.clone(), password }))
            }
            _ => Err(wrong(format!(
                "{prefix}username and {prefix}password_file belong together: give both or none"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(text: &str) -> Result<Trunk, String> {
        toml::from_str(&format!("name = \"carrier\"\n{text}")).map_err(|e| e.to_string())
    }

    #[test]
    fn addresses_and_networks_are_both_taken() {
        let trunk = trunk(r#"accept_from = ["203.0.113.7", "198.51.100.0/24", "2001:db8::/32"]"#);
        let networks: Vec<String> =
            trunk.unwrap().accept_from.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["203.0.113.7/32", "198.51.100.0/24", "2001:db8::/32"]);
    }

    #[test]
    fn what_is_no_network_is_told() {
        let error = trunk(r#"accept_from = ["carrier.example"]"#).unwrap_err();
        assert!(error.contains("203.0.113.0/24") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "secret\n").unwrap();
        let text = format!("username = \"u\"\npassword_file = {:?}", file.path());
        let config = trunk(&text).unwrap().config().unwrap();
        assert_eq!(config.credentials.unwrap().password, "secret");
    }

    #[test]
    fn half_an_account_is_refused() {
        for text in ["username = \"u\"", "accept_password_file = \"p\""] {
            let error = trunk(text).unwrap().config().unwrap_err().to_string();
            assert!(error.contains("carrier") && error.contains("belong together"), "{error}");
        }
    }
}
