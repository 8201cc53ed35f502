use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::net::UdpSocket;

use crate::{
    call::PortRange,
    sdp::{self, LocalMedia},
    service::{Config, ServiceError, Trunk, agent_config},
    sip::{SipError, SipLeg, TrunkCall, UserAgent},
};

/// One trunk of a configuration, by which calls can be placed without the service.
pub struct TrunkLine {
    /// Signals as the service would; registers and pings nothing by itself.
    pub agent: UserAgent,
    /// The service's configuration, for this trunk only.
    pub config: Config,
    /// The trunk.
    pub trunk: Trunk,
    /// Whether other ports than those of `sip.listen` had to be taken, because they are in use.
    pub beside: bool,
    ports: PortRange,
}

impl TrunkLine {
    /// Opens the sockets that the service would; others where those are in use.
    ///
    /// # Errors
    /// [`ServiceError::Trunk`] when there is no trunk `name`, or its part of the configuration
    /// cannot be used; [`ServiceError::Sip`] when nothing can be listened on.
    pub async fn open(config: &Config, name: &str) -> Result<Self, ServiceError> {
        let known = || config.trunks.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", ");
        let trunk = config.trunks.iter().find(|t| t.name == name).cloned();
        let trunk = trunk.ok_or_else(|| ServiceError::Trunk {
            trunk: name.to_owned(),
            problem: format!("there is no [[trunk]] of that name; there are: {}", known()),
        })?;
        let mut config = config.clone();
        config.trunks.retain(|t| t.name == name);
        config.transfer.trunk = None;
        let ports = config.rtp.ports.parse()?;
        let (agent, beside) = bind(&config).await?;
        Ok(Self { agent, config, trunk, beside, ports })
    }

    /// Calls a number; the leg, with sockets for its media and what its offer was made from.
    ///
    /// # Errors
    /// [`ServiceError::Ports`] when `rtp.ports` are all taken, [`ServiceError::Sip`] when no
    /// target can be called.
    pub async fn dial(
        &self,
        number: &str,
    ) -> Result<(SipLeg, (UdpSocket, UdpSocket), LocalMedia), ServiceError> {
        let route = self.agent.dialer().route_by(&self.trunk.name).await?;
        let sockets = self.ports.bind(route.bind_ip).await?;
        let local = LocalMedia {
            address: route.local_ip,
            port: sockets.0.local_addr().map_or(0, |own| own.port()),
            session_id: rand::random::<u32>().into(),
            version: 1,
            security: self.config.srtp_with(Some(&self.trunk.name)).security(),
            capabilities: self.config.rtp.capabilities(),
        };
        let call = TrunkCall {
            number: number.to_owned(),
            offer: sdp::offer(&local),
            caller_id: None,
            headers: Vec::new(),
        };
        Ok((self.agent.dial_trunk(&self.trunk.name, call).await?, sockets, local))
    }

    /// Lets calls end, and closes the sockets.
    pub async fn close(self) {
        self.agent.shutdown(Duration::from_secs(2)).await;
    }

    pub(super) fn ports(&self) -> &PortRange {
        &self.ports
    }
}

async fn bind(config: &Config) -> Result<(UserAgent, bool), ServiceError> {
    let mut wanted = agent_config(config)?;
    wanted.keeps_trunks = false;
    match UserAgent::bind(wanted.clone()).await {
        Err(SipError::Bind { source, .. }) if source.kind() == ErrorKind::AddrInUse => {
            for on in &mut wanted.listen {
                on.addr = SocketAddr::new(on.addr.ip(), 0);
            }
            Ok((UserAgent::bind(wanted).await?, true))
        }
        bound => Ok((bound?, false)),
    }
}
