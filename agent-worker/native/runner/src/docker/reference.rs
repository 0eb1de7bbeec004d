//! Names of images: which registry they mean, what a service is called, whose credentials are sent.

use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::Engine as _;
use serde_json::{json, Value};

use crate::payload::Credentials;

const HUB: &str = "docker.io";
const HUB_ADDRESS: &str = "https://index.docker.io/v1/";

/// With `:latest` where nothing says which version.
pub fn tagged(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if image.contains('@') || last.contains(':') {
        image.to_string()
    } else {
        format!("{image}:latest")
    }
}

/// The names that a service has on the job's network, as with GitLab's runner: the image's without version and port, its
/// slashes once doubled underscores and once hyphens, then what `alias` says.
pub fn service_names(image: &str, alias: &str) -> Vec<String> {
    let untagged = untagged(image);
    let (host, path) = untagged.split_once('/').map_or((untagged, ""), |(host, path)| (host, path));
    let host = host.split(':').next().unwrap_or(host);
    let name = if path.is_empty() { host.to_string() } else { format!("{host}/{path}") };
    let mut names = vec![name.replace('/', "__")];
    names.push(name.replace('/', "-"));
    names.extend(alias.split([' ', ',']).filter(|a| !a.is_empty()).map(str::to_string));
    names.dedup();
    names
}

fn untagged(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// The registry that an image comes from.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => hub_or(host),
        _ => HUB,
    }
}

fn hub_or(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => HUB,
        other => other,
    }
}

/// The host of a registry's address as users and GitLab write it.
fn host_of(address: &str) -> &str {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    hub_or(address.split('/').next().unwrap_or(address))
}

/// What is sent to the engine so that it may pull an image, and where it was found. GitLab's order: the user's variable first, then
/// what came with the job.
pub fn credentials(image: &str, variable: &str, payload: &[Credentials]) -> Result<Option<(String, &'static str)>, String> {
    let registry = registry(image);
    if let Some((user, password)) = of_user(registry, variable)? {
        return Ok(Some((header(registry, &user, &password), "$DOCKER_AUTH_CONFIG")));
    }
    let ours = payload.iter().find(|c| c.kind == "registry" && host_of(&c.url) == registry);
    Ok(ours.map(|c| (header(registry, &c.username, &c.password), "job payload (GitLab Registry)")))
}

fn of_user(registry: &str, variable: &str) -> Result<Option<(String, String)>, String> {
    if variable.trim().is_empty() {
        return Ok(None);
    }
    // The cause could quote the variable, which is a secret.
    let config: Value = serde_json::from_str(variable).map_err(|_| "DOCKER_AUTH_CONFIG is no JSON".to_string())?;
    let Some(auths) = config["auths"].as_object() else { return Ok(None) };
    let Some((_, entry)) = auths.iter().find(|(address, _)| host_of(address) == registry) else { return Ok(None) };
    let decoded = entry["auth"].as_str().and_then(|auth| STANDARD.decode(auth).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
        return Ok(Some((user.into(), password.trim_end_matches('\0').into())));
    }
    match (entry["username"].as_str(), entry["password"].as_str()) {
        (Some(user), Some(password)) => Ok(Some((user.into(), password.into()))),
        _ => Err(format!("DOCKER_AUTH_CONFIG has neither auth nor username and password for {registry}")),
    }
}

fn header(registry: &str, user: &str, password: &str) -> String {
    let address = if registry == HUB { HUB_ADDRESS } else { registry };
    URL_SAFE.encode(json!({"username": user, "password": password, "serveraddress": address}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(found: Result<Option<(String, &'static str)>, String>) -> (Value, &'static str) {
        let (text, source) = found.unwrap().unwrap();
        (serde_json::from_slice(&URL_SAFE.decode(text).unwrap()).unwrap(), source)
    }

    #[test]
    fn services_are_called_as_gitlab_calls_them() {
        assert_eq!(service_names("postgres:15", ""), ["postgres"]);
        assert_eq!(service_names("tutum/wordpress:latest", ""), ["tutum__wordpress", "tutum-wordpress"]);
        assert_eq!(service_names("host.example:5000/a/db@sha256:0123", "db,store x"), [
            "host.example__a__db", "host.example-a-db", "db", "store", "x"
        ]);
        assert_eq!(service_names("registry:5000/db", ""), ["registry__db", "registry-db"]);
        assert_eq!(service_names("postgres", "postgres"), ["postgres"]);
    }

    #[test]
    fn an_image_without_a_version_is_the_latest() {
        assert_eq!(tagged("a"), "a:latest");
        assert_eq!(tagged("host:5000/a"), "host:5000/a:latest");
        assert_eq!(tagged("host:5000/a:1"), "host:5000/a:1");
        assert_eq!(tagged("a@sha256:01"), "a@sha256:01");
    }

    #[test]
    fn credentials_go_to_their_registry_only_and_the_users_own_come_first() {
        let payload = [Credentials { kind: "registry".into(), url: "registry.example:5000".into(), username: "job".into(), password: "p1".into() }];
        let variable = json!({"auths": {"https://registry.example:5000/v2/": {"auth": STANDARD.encode("me:p:2")},
            "https://index.docker.io/v1/": {"username": "hub", "password": "p3"}, "broken": {}}})
        .to_string();
        let (sent, source) = decoded(credentials("registry.example:5000/a", "", &payload));
        assert_eq!(sent, json!({"username": "job", "password": "p1", "serveraddress": "registry.example:5000"}));
        assert!(source.contains("payload"));
        let (sent, source) = decoded(credentials("registry.example:5000/a", &variable, &payload));
        assert_eq!((&sent["username"], &sent["password"], source), (&json!("me"), &json!("p:2"), "$DOCKER_AUTH_CONFIG"));
        assert_eq!(decoded(credentials("library/busybox", &variable, &payload)).0["serveraddress"], HUB_ADDRESS);
        assert_eq!(credentials("elsewhere.example/a", &variable, &payload), Ok(None));
        assert_eq!(credentials("busybox", "", &payload), Ok(None));
        assert!(credentials("busybox", "secret", &payload).unwrap_err().ends_with("is no JSON"));
    }
}
