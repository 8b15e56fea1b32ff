//! Ports for programs that cannot be given port 0, or have to keep theirs over restarts.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which Linux picks ports for connections: while a program is down, nobody takes its port by chance.
const PORTS: Range<u16> = 10_240..32_768;
/// Spreads the first tries of neighbouring processes; a prime, so that all of them differ.
const STRIDE: u32 = 7_919;

/// Tries of this process so far.
static TRIES: AtomicU32 = AtomicU32::new(0);

/// `N` different loopback ports on which nobody listens now, and that this process was not given before.
///
/// # Errors
/// None is free.
pub fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    for port in &mut ports {
        *port = free_port()?;
    }
    Ok(ports)
}

fn free_port() -> io::Result<u16> {
    let first = std::process::id().wrapping_mul(STRIDE);
    for _ in PORTS {
        let place = first.wrapping_add(TRIES.fetch_add(1, Ordering::Relaxed));
        let place = place % u32::try_from(PORTS.len()).expect("fewer than all ports");
        let port = PORTS.start + u16::try_from(place).expect("fewer than all ports");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other(format!("no port of {PORTS:?} is free")))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ports_differ_and_one_in_use_is_not_given() {
        let [next] = free_ports().unwrap();
        // What comes after it is in use, if it can be had.
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, next + 1));
        let ports = free_ports::<200>().unwrap();
        assert_eq!(HashSet::from(ports).len(), ports.len());
        assert!(!ports.contains(&next));
        assert!(held.is_err() || !ports.contains(&(next + 1)));
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }
}
