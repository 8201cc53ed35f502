//! RTP ports: an even one for RTP and the next for RTCP (RFC 3550, section 11).

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::atomic::{AtomicU16, Ordering},
};

use tokio::net::UdpSocket;

/// A range of UDP ports for RTP, such as `20000-20999`. Pairs are handed out in turn, so that a
/// late packet of a call that is over does not reach the next one.
#[derive(Debug)]
pub struct PortRange {
    first: u16,
    pairs: u16,
    next: AtomicU16,
}

/// What can go wrong with ports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// Not a range.
    #[error("RTP port range {0:?} is not FIRST-LAST with at least two ports, such as 20000-20999")]
    BadRange(String),
    /// No pair is free.
    #[error("no free RTP port pair on {address} in {first}-{last}: widen `rtp.ports`")]
    Exhausted {
        /// The address asked for.
        address: IpAddr,
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
}

impl PortRange {
    /// Binds a free pair on `address`.
    ///
    /// # Errors
    /// [`PortError::Exhausted`] when every pair is taken.
    pub async fn bind(&self, address: IpAddr) -> Result<(UdpSocket, UdpSocket), PortError> {
        for _ in 0..self.pairs {
            let pair = self.next.fetch_add(1, Ordering::Relaxed) % self.pairs;
            let port = self.first + 2 * pair;
            let rtp = UdpSocket::bind(SocketAddr::new(address, port)).await;
            let rtcp = UdpSocket::bind(SocketAddr::new(address, port + 1)).await;
            if let (Ok(rtp), Ok(rtcp)) = (rtp, rtcp) {
                return Ok((rtp, rtcp));
            }
        }
        let last = self.first + 2 * self.pairs - 1;
        Err(PortError::Exhausted { address, first: self.first, last })
    }
}

impl FromStr for PortRange {
    type Err = PortError;

    fn from_str(text: &str) -> Result<Self, PortError> {
        let bad = || PortError::BadRange(text.into());
        let (first, last) = text.split_once('-').ok_or_else(bad)?;
        let first: u16 = first.trim().parse().map_err(|_| bad())?;
        let last: u16 = last.trim().parse().map_err(|_| bad())?;
        let first = first.checked_add(first % 2).ok_or_else(bad)?;
        let ports = last.checked_sub(first).and_then(|n| n.checked_add(1)).ok_or_else(bad)?;
        match ports / 2 {
            0 => Err(bad()),
            pairs => Ok(Self { first, pairs, next: AtomicU16::new(0) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_starts_at_an_even_port() {
        let range: PortRange = "20001-20010".parse().unwrap();
        assert_eq!((range.first, range.pairs), (20_002, 4));
    }

    #[test]
    fn what_is_not_a_range_is_refused() {
        for bad in ["", "20000", "20000-", "20001-20002", "3-2", "0-99999", "a-b"] {
            assert!(bad.parse::<PortRange>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_taken_pair_is_skipped_and_an_exhausted_range_says_so() {
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let range: PortRange = "29870-29873".parse().unwrap();
        let first = range.bind(address).await.unwrap();
        let second = range.bind(address).await.unwrap();
        assert_ne!(first.0.local_addr().unwrap(), second.0.local_addr().unwrap());
        assert!(matches!(range.bind(address).await, Err(PortError::Exhausted { .. })));
    }
}
