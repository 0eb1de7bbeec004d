//! The job's services: each a container of its own on the job's network, waited for until it takes a connection.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::context::{Context, Failure};
use crate::docker::container::{host_config, Network};
use crate::docker::engine::{self, Engine};
use crate::docker::image::{self, Had, Wanted};
use crate::docker::reference;

const BETWEEN_TRIES: Duration = Duration::from_millis(200);
const ONE_TRY: Duration = Duration::from_secs(2);
/// As much of a service's log as GitLab's runner shows.
const LARGEST_LOG: usize = 64 * 1024;

pub struct Service {
    id: String,
    image: String,
}

/// Starts all services, in their order; the names that an earlier one has are not given twice.
pub fn start_all(job: &Context, engine: &Engine, network: &Network, had: &mut Had) -> Result<Vec<Service>, Failure> {
    let mut taken: Vec<String> = Vec::new();
    let mut services = Vec::new();
    for (index, value) in wanted(job)?.iter().enumerate() {
        let wanted = Wanted::parse("service", value).map_err(Failure::configuration)?.unwrap_or_default();
        let name = job.variables.expand(&wanted.name);
        if name.is_empty() {
            return Err(Failure::configuration("a service of the job has no image: give it a name"));
        }
        let mut names = reference::service_names(&name, &job.variables.expand(&wanted.alias));
        if names.iter().any(|n| taken.contains(n)) {
            job.log.warning(&format!("WARNING: Service {name} is already created. Ignoring."));
            names.retain(|n| !taken.contains(n));
        }
        if names.is_empty() {
            continue;
        }
        job.log.line(&format!("Starting service {} ...", reference::tagged(&name)));
        super::warn_of_unknown(job, "service", &wanted);
        let id = image::ensure(job, engine, had, &name, &wanted)?;
        let container = format!("mayfly-{}-service-{index}", job.key.id);
        services.push(start(job, engine, &container, &name, &id, &wanted, network, &names)?);
        taken.extend(names);
    }
    Ok(services)
}

fn wanted(job: &Context) -> Result<Vec<Value>, Failure> {
    match &job.payload.services {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => Ok(list.clone()),
        _ => Err(Failure::configuration("the job's services are no list")),
    }
}

fn start(
    job: &Context,
    engine: &Engine,
    container: &str,
    image_name: &str,
    id: &str,
    wanted: &Wanted,
    network: &Network,
    names: &[String],
) -> Result<Service, Failure> {
    // Like GitLab's runner: a project's own secrets don't go to its services unless the service asks for them.
    let mut environment = image::environment(job, job.variables.effective().into_iter().filter(|v| v.public));
    environment.extend(wanted.variables.iter().map(|(key, value)| format!("{key}={}", job.variables.expand(value))));
    let config = json!({
        "Image": id, "Env": environment, "Cmd": wanted.command, "Entrypoint": wanted.entrypoint, "User": wanted.user,
        "HostConfig": host_config(job, network, "json-file"), "NetworkingConfig": network.joined_as(names),
    });
    let failed = |what: &str, cause: engine::Trouble| Failure::system(format!("the service {image_name} could not be {what}: {cause}"));
    let created = super::container::create(engine, container, &wanted.platform, config).map_err(|e| failed("created", e))?;
    engine.post(&format!("/containers/{created}/start"), Value::Null).map_err(|e| failed("started", e))?;
    Ok(Service { id: created, image: image_name.into() })
}

/// Waits for all of them together. One that never answers is a warning with its log: the job may well not need it.
pub fn await_all(job: &Context, engine: &Engine, services: &[Service]) -> Result<(), Failure> {
    let time = job.options.docker.wait_for_services;
    if services.is_empty() || time.is_zero() {
        return Ok(());
    }
    job.log.line(&format!("Waiting for services to be up and running (timeout {} seconds)...", time.as_secs()));
    let deadline = Instant::now() + time;
    for service in services {
        if let Err(cause) = await_one(job, engine, service, deadline)? {
            warn(job, engine, service, &cause);
        }
    }
    Ok(())
}

fn await_one(job: &Context, engine: &Engine, service: &Service, deadline: Instant) -> Result<Result<(), String>, Failure> {
    loop {
        job.must_stop()?;
        let about = engine.get(&format!("/containers/{}/json", service.id)).map_err(|e| Failure::system(e.message))?;
        let Some(port) = first_port(&about) else { return Ok(Ok(())) };
        if about["State"]["Running"] == json!(false) {
            return Ok(Err(format!("it ended with exit code {}", about["State"]["ExitCode"])));
        }
        let address = about["NetworkSettings"]["Networks"].as_object().and_then(|n| n.values().next()?["IPAddress"].as_str()?.parse().ok());
        if address.is_some_and(|ip| TcpStream::connect_timeout(&SocketAddr::new(ip, port), ONE_TRY).is_ok()) {
            return Ok(Ok(()));
        }
        if Instant::now() >= deadline {
            return Ok(Err(format!("nothing took a connection to its port {port} in time")));
        }
        // A service can't say when it listens: asking again is all there is.
        job.control.pause(BETWEEN_TRIES);
    }
}

/// The lowest TCP port that the image exposes.
fn first_port(about: &Value) -> Option<u16> {
    let exposed = about["Config"]["ExposedPorts"].as_object()?;
    exposed.keys().filter_map(|port| port.strip_suffix("/tcp").unwrap_or(port).parse().ok()).min()
}

fn warn(job: &Context, engine: &Engine, service: &Service, cause: &str) {
    job.log.warning(&format!("\n*** WARNING: Service {} probably didn't start properly.", service.image));
    job.log.line(&format!("\nHealth check error:\n{cause}\n\nService container logs:"));
    let mut shown = 0;
    let logs = engine.bytes(&format!("/containers/{}/logs?stdout=1&stderr=1&timestamps=1&tail=1000", service.id));
    let copied = logs.map_err(|e| e.message).and_then(|bytes| {
        let copy = |piece: &[u8]| {
            job.log.write(&piece[..piece.len().min(LARGEST_LOG - shown)]);
            shown = LARGEST_LOG.min(shown + piece.len());
        };
        engine::output(&bytes[..], copy).map_err(|e| e.to_string())
    });
    if let Err(cause) = copied {
        job.log.line(&format!("could not be read: {cause}"));
    }
    job.log.warning("\n*********\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_tcp_port_is_waited_for() {
        let about = |ports: Value| json!({"Config": {"ExposedPorts": ports}});
        assert_eq!(first_port(&about(json!({"5432/tcp": {}, "80/tcp": {}, "53/udp": {}}))), Some(80));
        assert_eq!(first_port(&about(json!({"53/udp": {}}))), None);
        assert_eq!(first_port(&about(json!(null))), None);
    }
}
