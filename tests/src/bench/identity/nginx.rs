//! nginx as the opponent: mutual TLS on both sides, and the call handed on as it is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::stage::NGINX;
use crate::bench::gateway::Site;
use crate::bench::process::Process;

/// Where Debian puts it; the PATH of an ordinary user may not say so.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];
/// Connections to the adapter that a worker keeps: as many as there are callers.
const KEPT_CONNECTIONS: usize = 32;

/// Starts it in the foreground; `None` where it is not installed.
pub(super) fn start(
    site: &Site,
    address: SocketAddr,
    adapter: SocketAddr,
) -> anyhow::Result<Option<Process>> {
    let Some(program) = PROGRAMS.into_iter().find(|program| runs(program)) else {
        return Ok(None);
    };
    let file = site.folder().join("nginx.conf");
    std::fs::write(&file, configuration(site.folder(), address, adapter))?;
    let mut command = Command::new(program);
    command.args(["-e", "stderr", "-p"]).arg(site.folder());
    command.arg("-c").arg(file);
    site.spawn(command).map(Some)
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    let silent = command
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// A worker per core, connections kept on both sides, nothing logged and nothing written.
fn configuration(folder: &Path, address: SocketAddr, adapter: SocketAddr) -> String {
    let file = |name: &str| -> PathBuf { folder.join(name) };
    let (participant, system) = NGINX;
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {};\n", file("nginx-temporary").display()))
        .concat();
    format!(
        "daemon off;\nworker_processes auto;\npid {pid};\nerror_log stderr warn;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\naccess_log off;\n{temporary}\
         upstream adapter {{ server {adapter}; keepalive {KEPT_CONNECTIONS}; keepalive_requests 1000000000;\
         keepalive_timeout 1h; }}\n\
         server {{\nlisten {address} ssl http2 reuseport;\nkeepalive_requests 1000000000;\nkeepalive_timeout 1h;\n\
         ssl_protocols TLSv1.3;\nssl_certificate {certificate};\nssl_certificate_key {key};\n\
         ssl_verify_client on;\nssl_client_certificate {ca};\n\
         location / {{\ngrpc_pass grpcs://adapter;\ngrpc_ssl_protocols TLSv1.3;\n\
         grpc_ssl_certificate {client};\ngrpc_ssl_certificate_key {client_key};\n\
         grpc_ssl_verify on;\ngrpc_ssl_trusted_certificate {ca};\ngrpc_ssl_name localhost;\n}}\n}}\n}}\n",
        pid = file("nginx.pid").display(),
        certificate = file("server.pem").display(),
        key = file("server-key.pem").display(),
        ca = file("ca.pem").display(),
        client = file(&format!("{participant}-{system}.pem")).display(),
        client_key = file(&format!("{participant}-{system}-key.pem")).display(),
    )
}
