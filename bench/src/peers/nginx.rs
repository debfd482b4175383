//! nginx that answers a constant: a server of many years' tuning which does nothing.

use std::path::Path;

use super::{free_address, installed};
use crate::server::{Server, command};
use crate::{Failure, Places};

pub(crate) const PROGRAM: &str = "nginx";
pub(crate) const PACKAGE: &str = "nginx-light";

/// Starts nginx with one process that answers every request with a body.
pub(crate) async fn start(places: &Places, folder: &Path, body: &str) -> Result<Server, Failure> {
    let address = free_address()?;
    let folder = std::path::absolute(folder).map_err(|error| Failure::of("find a folder", error))?;
    let configuration = folder.join("nginx.conf");
    let at = folder.display();
    let text = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {at}/nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 4000000000;\n  keepalive_timeout 1h;\n\
         \x20 client_body_temp_path {at}/body;\n  proxy_temp_path {at}/proxy;\n  fastcgi_temp_path {at}/fastcgi;\n\
         \x20 uwsgi_temp_path {at}/uwsgi;\n  scgi_temp_path {at}/scgi;\n  default_type application/json;\n\
         \x20 server {{ listen {address}; location / {{ return 200 '{body}'; }} }}\n}}\n"
    );
    std::fs::write(&configuration, text).map_err(|error| Failure::of("write nginx.conf", error))?;
    let mut command = command(&installed(PROGRAM, PACKAGE)?, &places.out.join("nginx.log"))?;
    command.arg("-c").arg(&configuration).arg("-p").arg(&folder).args(["-e", "stderr"]);
    Server::start_at(command, address).await
}
