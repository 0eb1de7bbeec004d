//! The VM's one network device, set up by system calls: starting `ip` for it would cost a third of a second under emulation.

use std::ffi::CStr;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

use crate::setup::{step, Step};

const DEVICE: &CStr = c"eth0";
/// Where the relay answers.
const RELAY: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const HOST_MASK: Ipv4Addr = Ipv4Addr::BROADCAST;

nix::ioctl_read_bad!(get_flags, libc::SIOCGIFFLAGS, libc::ifreq);
nix::ioctl_write_ptr_bad!(set_flags, libc::SIOCSIFFLAGS, libc::ifreq);
nix::ioctl_write_ptr_bad!(set_address, libc::SIOCSIFADDR, libc::ifreq);
nix::ioctl_write_ptr_bad!(set_mask, libc::SIOCSIFNETMASK, libc::ifreq);
nix::ioctl_write_ptr_bad!(add_route, libc::SIOCADDRT, libc::rtentry);

/// Makes loopback and device work. May be repeated.
pub fn bring_up(address: &str, gateway: &str) -> Step<()> {
    let (address, mask) = parse(address)?;
    let gateway: Ipv4Addr = gateway.parse().map_err(|_| format!("gateway '{gateway}' is no IPv4 address"))?;
    // Any socket will do: these calls only want one of the right family.
    let socket = step("make a socket", UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)))?;
    let fd = socket.as_raw_fd();
    // SAFETY (all below): each request carries the structure that it names, filled in and alive during the call.
    step("bring up lo", up(fd, c"lo"))?;
    step("set the address of eth0", unsafe { set_address(fd, &request(DEVICE, address)) })?;
    step("set the network mask of eth0", unsafe { set_mask(fd, &request(DEVICE, mask)) })?;
    step("bring up eth0", up(fd, DEVICE))?;
    for (what, to, mask) in [("a default route", Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED), ("the relay's route", RELAY, HOST_MASK)] {
        match unsafe { add_route(fd, &route(to, mask, gateway)) } {
            Ok(_) | Err(nix::errno::Errno::EEXIST) => {}
            Err(cause) => return Err(format!("could not add {what} by {gateway}: {cause}")),
        }
    }
    Ok(())
}

/// Address and network mask of `a.b.c.d/n`.
fn parse(text: &str) -> Step<(Ipv4Addr, Ipv4Addr)> {
    text.split_once('/')
        .and_then(|(address, prefix)| Some((address.parse().ok()?, prefix.parse().ok().filter(|p| (1..=32).contains(p))?)))
        .map(|(address, prefix): (Ipv4Addr, u32)| (address, Ipv4Addr::from(u32::MAX << (32 - prefix))))
        .ok_or_else(|| format!("address '{text}' is no IPv4 address with a prefix length"))
}

fn named(device: &CStr) -> libc::ifreq {
    // SAFETY: all zero is a valid value of this plain structure.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(device.to_bytes()) {
        *to = *from as libc::c_char;
    }
    request
}

fn up(fd: RawFd, device: &CStr) -> nix::Result<()> {
    let mut request = named(device);
    // SAFETY: the structure is that of both calls; the first one fills in the flags.
    unsafe {
        get_flags(fd, &mut request)?;
        request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
        set_flags(fd, &request).map(drop)
    }
}

fn request(device: &CStr, address: Ipv4Addr) -> libc::ifreq {
    let mut request = named(device);
    request.ifr_ifru.ifru_addr = socket_address(address);
    request
}

fn route(to: Ipv4Addr, mask: Ipv4Addr, gateway: Ipv4Addr) -> libc::rtentry {
    // SAFETY: as above.
    let mut route: libc::rtentry = unsafe { zeroed() };
    route.rt_dst = socket_address(to);
    route.rt_genmask = socket_address(mask);
    route.rt_gateway = socket_address(gateway);
    route.rt_flags = libc::RTF_UP | libc::RTF_GATEWAY | if mask == HOST_MASK { libc::RTF_HOST } else { 0 };
    route.rt_dev = DEVICE.as_ptr().cast_mut();
    route
}

fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    let inet = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from(address).to_be() },
        sin_zero: [0; 8],
    };
    const { assert!(size_of::<libc::sockaddr_in>() == size_of::<libc::sockaddr>()) };
    // SAFETY: a sockaddr_in is one form of a sockaddr, of the same size.
    unsafe { std::mem::transmute(inet) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sched::{unshare, CloneFlags};
    use std::process::Command;

    #[test]
    fn an_address_needs_its_prefix_length() {
        assert_eq!(parse("198.18.0.2/30"), Ok((Ipv4Addr::new(198, 18, 0, 2), Ipv4Addr::new(255, 255, 255, 252))));
        for bad in ["", "198.18.0.2", "198.18.0.2/0", "198.18.0.2/33", "198.18.0/30", "::1/64", "1.2.3.4/x"] {
            assert!(parse(bad).unwrap_err().contains("IPv4 address"), "{bad}");
        }
    }

    #[test]
    fn the_device_gets_its_address_and_both_routes_however_often() {
        // In a network namespace of this thread alone.
        let told = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace: run these tests as root");
            let ip = |arguments: &str| {
                let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
                assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8(output.stdout).unwrap()
            };
            let missing = bring_up("198.18.0.2/30", "198.18.0.1").unwrap_err();
            ip("link add eth0 type veth peer name host");
            for _ in 0..2 {
                bring_up("198.18.0.2/30", "198.18.0.1").unwrap();
            }
            (missing, ip("-4 -o addr show"), ip("route show"))
        });
        let (missing, addresses, routes) = told.join().unwrap();
        assert!(missing.contains("eth0"), "{missing}");
        assert!(addresses.contains("127.0.0.1/8") && addresses.contains("198.18.0.2/30"), "{addresses}");
        for route in ["default via 198.18.0.1 dev eth0", "169.254.169.254 via 198.18.0.1 dev eth0", "198.18.0.0/30 dev eth0"] {
            assert_eq!(routes.lines().filter(|line| line.starts_with(route)).count(), 1, "{route} in {routes}");
        }
    }
}
