//! Templates and parameter files that are linked: at an HTTP address of this machine, in a file of the project, or in a
//! template specification that the endpoint holds. Nothing beyond this machine is ever asked.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use arm_template::{Linker, Parameters, Template, TemplateError, TemplateLink};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::id::key;

const VERSIONS: &str = "Microsoft.Resources/templateSpecs/versions";
/// As a template's own text.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// Links of one expansion.
const MOST_LINKS: u32 = 200;
/// Longest time that one link may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What can be linked. Holds a copy of what the state has, so that it can be asked while the state is worked on.
pub struct Links {
    specs: BTreeMap<String, Arc<Row>>,
    project: Option<PathBuf>,
    followed: AtomicU32,
}

impl Links {
    /// What the state and the project have now.
    #[must_use]
    pub fn of(cx: &Cx<'_>) -> Self {
        let specs = cx.store.of_kind(VERSIONS).into_iter().map(|row| (key(&row.id), row)).collect();
        Self { specs, project: cx.core.settings.project.clone(), followed: AtomicU32::new(0) }
    }

    /// The template of a request's or a finished resource's `templateLink`, with the address that its own links start from.
    ///
    /// # Errors
    /// The error codes `InvalidContentLink`, `InvalidTemplate` of Azure.
    pub fn named(&self, link: &Value, base: Option<&str>) -> Result<(Template, Option<String>), ArmError> {
        let text = |name: &str| link.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut link = TemplateLink {
            uri: text("uri").unwrap_or_default(),
            id: text("id"),
            relative_path: text("relativePath"),
            base: base.map(str::to_owned),
        };
        if let (Some(query), false) = (text("queryString"), link.uri.is_empty()) {
            link.uri = format!("{}?{}", link.uri, query.trim_start_matches('?'));
        }
        let found = self.template(&link).map_err(|why| ArmError::bad("InvalidContentLink", why))?;
        let found = found.ok_or_else(|| {
            ArmError::bad("InvalidContentLink", "The content link has neither 'uri' nor 'id' nor 'relativePath'.")
        })?;
        Ok((found, link.address()))
    }

    /// The values behind a `parametersLink`.
    ///
    /// # Errors
    /// The error code `InvalidContentLink` of Azure.
    pub fn values(&self, link: &Value, base: Option<&str>) -> Result<Value, ArmError> {
        let uri = link.get("uri").and_then(Value::as_str).unwrap_or_default().to_owned();
        let link = TemplateLink { uri, base: base.map(str::to_owned), ..TemplateLink::default() };
        let refused = |why: String| ArmError::bad("InvalidContentLink", why);
        let text = self.text(&link).map_err(refused)?.unwrap_or_default();
        let node = arm_template::json::read(&text).map_err(|error| refused(unusable(&link, &error.to_string())))?;
        let file = node.to_value();
        Ok(file.get("parameters").cloned().unwrap_or(file))
    }

    /// The text behind a link; `None` when its address is not known yet.
    fn text(&self, link: &TemplateLink) -> Result<Option<String>, String> {
        let Some(address) = link.address() else { return Ok(None) };
        if self.followed.fetch_add(1, Ordering::Relaxed) >= MOST_LINKS {
            return Err(undownloaded(&address, &format!("more than {MOST_LINKS} links are followed")));
        }
        if let Some((id, path)) = address.split_once('#').filter(|(id, _)| id.starts_with("/subscriptions/")) {
            return self.spec(id, path).map(Some);
        }
        let url = url::Url::parse(&address).map_err(|_| undownloaded(&address, "it is not an absolute address"))?;
        let text = match url.scheme() {
            "http" => download(&url),
            "file" => self.file(&url),
            _ => Err(
                "the local endpoint asks http addresses of this machine, files of the project and template specs only"
                    .into(),
            ),
        };
        text.map(Some).map_err(|why| undownloaded(&address, &why))
    }

    fn spec(&self, id: &str, path: &str) -> Result<String, String> {
        let Some(row) = self.specs.get(&key(id)) else {
            return Err(format!("The template spec version '{id}' could not be found."));
        };
        if path.is_empty() {
            return Ok(row.at("/properties/mainTemplate").map(Value::to_string).unwrap_or_default());
        }
        let parts = row.at("/properties/linkedTemplates").and_then(Value::as_array).into_iter().flatten();
        let wanted = path.trim_start_matches("./");
        parts
            .filter(|part| {
                part.get("path").and_then(Value::as_str).is_some_and(|have| have.trim_start_matches("./") == wanted)
            })
            .find_map(|part| part.get("template").map(Value::to_string))
            .ok_or_else(|| format!("The template spec version '{id}' has no linked template at '{path}'."))
    }

    fn file(&self, url: &url::Url) -> Result<String, String> {
        let project = self.project.as_ref().and_then(|folder| folder.canonicalize().ok());
        let project = project.ok_or("this endpoint belongs to no project folder")?;
        let path = url.to_file_path().map_err(|()| "it is not a path of this machine")?;
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        if !path.starts_with(&project) {
            return Err(format!("only files below {} are read", project.display()));
        }
        let file = std::fs::File::open(&path).map_err(|error| error.to_string())?;
        limited(file)
    }
}

fn undownloaded(address: &str, why: &str) -> String {
    // the query string may be a secret
    let shown = address.split('?').next().unwrap_or_default();
    format!("Unable to download deployment content from '{shown}': {why}.")
}

fn unusable(link: &TemplateLink, why: &str) -> String {
    let address = link.address().unwrap_or_default();
    format!("The content of '{}' is not valid: {why}.", address.split('?').next().unwrap_or_default())
}

fn limited(source: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// One GET to a server of this machine.
fn download(url: &url::Url) -> Result<String, String> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let name = host.trim_start_matches('[').trim_end_matches(']');
    if !(name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())) {
        return Err("the local endpoint asks this machine only".to_owned());
    }
    let deadline = Instant::now() + PATIENCE;
    let addresses = (name, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let mut last = "no server listens there".to_owned();
    let mut found = None;
    for address in addresses.filter(|address| address.ip().is_loopback()) {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                found = Some(stream);
                break;
            }
            Err(error) => last = error.to_string(),
        }
    }
    let Some(mut stream) = found else { return Err(last) };
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let fail = |error: std::io::Error| error.to_string();
    stream.set_write_timeout(Some(PATIENCE)).map_err(fail)?;
    // HTTP/1.0: the answer ends with the connection, in one piece
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(fail)?;
    let mut bytes = Vec::new();
    let mut part = vec![0; 65_536];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("the server took too long".to_owned());
        }
        stream.set_read_timeout(Some(left)).map_err(fail)?;
        match stream.read(&mut part).map_err(fail)? {
            0 => break,
            count => bytes.extend_from_slice(part.get(..count).unwrap_or_default()),
        }
        if bytes.len() as u64 > MOST_BYTES + 65_536 {
            return Err(format!("it has more than {MOST_BYTES} bytes"));
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the server gave no HTTP answer")?;
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(body.to_owned()),
        Some(status) => Err(format!("the server answered {status}")),
        None => Err("the server gave no HTTP answer".to_owned()),
    }
}

impl Linker for Links {
    fn template(&self, link: &TemplateLink) -> Result<Option<Template>, String> {
        let Some(text) = self.text(link)? else { return Ok(None) };
        let first =
            |errors: Vec<TemplateError>| unusable(link, &errors.first().map(ToString::to_string).unwrap_or_default());
        arm_template::parse(&text).map(Some).map_err(first)
    }

    fn parameters(&self, link: &TemplateLink) -> Result<Option<Parameters>, String> {
        let Some(text) = self.text(link)? else { return Ok(None) };
        let first =
            |errors: Vec<TemplateError>| unusable(link, &errors.first().map(ToString::to_string).unwrap_or_default());
        arm_template::parse_parameters(&text).map(Some).map_err(first)
    }
}
