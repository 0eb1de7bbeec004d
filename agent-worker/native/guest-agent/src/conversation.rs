//! What host and guest say to each other, apart from how the bytes travel and what is done to the VM: the guest's side of the
//! channel's contract. The host hears the last state again whenever it connects or asks.

use crate::frame::{encode, Configure, FromHost, Reader, Report, StartRunner, State};
use crate::runner::Ended;

/// What the host can have done to the VM.
pub trait Vm {
    fn prepare(&mut self) -> Result<(), String>;
    fn configure(&mut self, wanted: &Configure) -> Result<(), String>;
    /// Gives a clone a boot of its own, once its randomness is its own; returns the new id.
    fn renew_boot_id(&mut self) -> Result<String, String>;
    fn start_runner(&mut self, order: &StartRunner) -> Result<(), String>;
    /// How the runner ended, once it has.
    fn runner_end(&mut self) -> Option<Ended>;
    /// Ends the VM.
    fn end(&mut self, why: &str);
    /// A line for people, on the console that the host keeps.
    fn say(&mut self, message: &str);
}

pub struct Conversation<V> {
    vm: V,
    reader: Reader,
    connected: bool,
    told: bool,
    report: Report,
    configured: Option<Configure>,
}

impl<V: Vm> Conversation<V> {
    /// `state`: how far an earlier agent of this VM has come.
    pub fn new(vm: V, boot_id: String, state: State) -> Self {
        let report = Report { state, agent_version: env!("CARGO_PKG_VERSION"), boot_id, exit_code: None, signal: None, message: None };
        Self { vm, reader: Reader::default(), connected: false, told: false, report, configured: None }
    }

    pub fn vm(&mut self) -> &mut V {
        &mut self.vm
    }

    pub fn is_connected(&self) -> bool {
        self.connected
    }

    pub fn host_is_here(&mut self) {
        if !self.connected {
            (self.connected, self.told) = (true, false);
        }
    }

    pub fn host_is_gone(&mut self) {
        self.connected = false;
        self.reader.clear();
    }

    pub fn hear(&mut self, bytes: &[u8]) {
        self.host_is_here();
        self.reader.push(bytes);
        loop {
            match self.reader.next() {
                Ok(Some(FromHost::Hello)) => self.told = false,
                Ok(Some(FromHost::Prepare)) => self.prepare(),
                Ok(Some(FromHost::Configure(wanted))) => self.configure(wanted),
                Ok(Some(FromHost::StartRunner(order))) => self.start_runner(&order),
                Ok(Some(FromHost::Shutdown)) => self.vm.end("the host asked for it"),
                Ok(Some(FromHost::Unknown)) => self.vm.say("the host sent a frame of an unknown type; ignored"),
                Ok(None) => return,
                Err(message) => {
                    self.vm.say(&message);
                    // A hello may have been among what was dropped.
                    self.told = false;
                    return;
                }
            }
        }
    }

    /// The frame that the host still has to be given, if it is there to take it.
    pub fn to_tell(&self) -> Option<Vec<u8>> {
        (self.connected && !self.told).then(|| encode(&self.report))
    }

    pub fn told(&mut self) {
        self.told = true;
    }

    pub fn look_after_runner(&mut self) {
        if self.report.state == State::Running {
            if let Some(end) = self.vm.runner_end() {
                (self.report.exit_code, self.report.signal, self.report.message) = (end.exit_code, end.signal, end.message);
                self.enter(State::Ended);
            }
        }
    }

    fn configure(&mut self, wanted: Configure) {
        // A repetition after a reconnect would only set the clock to a time that has passed.
        if self.configured.as_ref() != Some(&wanted) {
            match self.try_to_become(&wanted) {
                Ok(()) => {
                    self.configured = Some(wanted);
                    self.report.message = None;
                }
                Err(message) => self.complain(message),
            }
        }
        self.told = false;
    }

    fn try_to_become(&mut self, wanted: &Configure) -> Result<(), String> {
        self.vm.configure(wanted)?;
        if self.report.state == State::Prepared {
            self.report.boot_id = self.vm.renew_boot_id()?;
        }
        if matches!(self.report.state, State::Booted | State::Prepared) {
            self.report.state = State::Ready;
        }
        Ok(())
    }

    fn prepare(&mut self) {
        if self.report.state == State::Booted {
            match self.vm.prepare() {
                Ok(()) => self.report.state = State::Prepared,
                Err(message) => self.complain(message),
            }
        }
        self.told = false;
    }

    fn complain(&mut self, message: String) {
        self.vm.say(&message);
        self.report.message = Some(message);
    }

    fn start_runner(&mut self, order: &StartRunner) {
        match self.report.state {
            State::Booted | State::Ready => match self.vm.start_runner(order) {
                Ok(()) => self.enter(State::Running),
                Err(message) => {
                    self.vm.say(&message);
                    (self.report.exit_code, self.report.message) = (Some(255), Some(message));
                    self.enter(State::Ended);
                }
            },
            State::Prepared | State::Running | State::Ended => self.told = false,
        }
    }

    fn enter(&mut self, state: State) {
        self.report.state = state;
        self.told = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    #[derive(Default)]
    struct FakeVm {
        log: Vec<String>,
        refuses: Option<&'static str>,
        ended: Option<Ended>,
    }

    impl FakeVm {
        fn answer(&mut self, what: String) -> Result<(), String> {
            self.log.push(what);
            self.refuses.map_or(Ok(()), |why| Err(why.into()))
        }
    }

    impl Vm for FakeVm {
        fn prepare(&mut self) -> Result<(), String> {
            self.answer("prepare".into())
        }
        fn configure(&mut self, wanted: &Configure) -> Result<(), String> {
            self.answer(format!("configure {}", wanted.hostname))
        }
        fn renew_boot_id(&mut self) -> Result<String, String> {
            self.answer("renew".into()).map(|()| "boot-2".into())
        }
        fn start_runner(&mut self, order: &StartRunner) -> Result<(), String> {
            self.answer(format!("start {} {}", order.executor, order.token))
        }
        fn runner_end(&mut self) -> Option<Ended> {
            self.ended.clone()
        }
        fn end(&mut self, _: &str) {
            self.log.push("end".into());
        }
        fn say(&mut self, message: &str) {
            self.log.push(format!("say {message}"));
        }
    }

    fn guest() -> Conversation<FakeVm> {
        Conversation::new(FakeVm::default(), "boot-1".into(), State::Booted)
    }

    fn frame(json: Value) -> Vec<u8> {
        let text = json.to_string();
        [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn hello() -> Vec<u8> {
        frame(json!({"type": "hello"}))
    }

    fn configure(nanos: i64) -> Vec<u8> {
        frame(json!({"type": "configure", "unixNanos": nanos, "entropy": "", "hostname": "vm", "machineId": "0", "resolvConf": "",
            "caPem": null, "address": "198.18.0.2/30", "gateway": "198.18.0.1"}))
    }

    fn start_runner() -> Vec<u8> {
        frame(json!({"type": "start-runner", "executor": "shell", "url": "u", "token": "t", "name": "n", "systemId": "s_1"}))
    }

    /// What the host is told now, if anything; it takes it.
    fn heard(guest: &mut Conversation<FakeVm>) -> Option<Value> {
        let told = guest.to_tell().map(|frame| serde_json::from_slice(&frame[4..]).unwrap());
        guest.told();
        told
    }

    fn state(guest: &mut Conversation<FakeVm>) -> String {
        heard(guest).unwrap()["state"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_life_of_a_vm_is_told_step_by_step() {
        let mut guest = guest();
        guest.hear(&hello());
        assert_eq!(heard(&mut guest).unwrap(), json!({"type": "state", "state": "booted", "agentVersion": "0.1.0", "bootId": "boot-1"}));
        guest.hear(&configure(1));
        assert_eq!(state(&mut guest), "ready");
        guest.hear(&start_runner());
        assert_eq!(state(&mut guest), "running");
        guest.look_after_runner();
        assert_eq!(heard(&mut guest), None, "nothing new");
        guest.vm().ended = Some(Ended { exit_code: None, signal: Some(9), message: None });
        guest.look_after_runner();
        let end = heard(&mut guest).unwrap();
        assert_eq!(json!([end["state"], end["exitCode"], end["signal"]]), json!(["ended", null, 9]));
        guest.hear(&frame(json!({"type": "shutdown"})));
        assert_eq!(guest.vm().log, ["configure vm", "start shell t", "end"]);
    }

    #[test]
    fn a_clone_gets_a_boot_of_its_own_after_its_randomness_and_only_once() {
        let mut template = guest();
        for _ in 0..2 {
            template.hear(&frame(json!({"type": "prepare"})));
            assert_eq!(heard(&mut template).unwrap()["state"], "prepared");
        }
        for nanos in [1, 2] {
            template.hear(&configure(nanos));
            let told = heard(&mut template).unwrap();
            assert_eq!(json!([told["state"], told["bootId"]]), json!(["ready", "boot-2"]));
        }
        assert_eq!(template.vm().log, ["prepare", "configure vm", "renew", "configure vm"]);

        let mut stranger = Conversation::new(FakeVm::default(), "boot-1".into(), State::Prepared);
        stranger.hear(&start_runner());
        assert_eq!(state(&mut stranger), "prepared", "no job before it is a VM of its own");
        assert!(stranger.vm().log.is_empty());
    }

    #[test]
    fn a_vm_that_has_a_job_becomes_no_template_and_one_that_cannot_says_why() {
        let mut busy = guest();
        busy.hear(&configure(1));
        busy.hear(&frame(json!({"type": "prepare"})));
        assert_eq!(state(&mut busy), "ready");
        assert_eq!(busy.vm().log, ["configure vm"]);

        let mut unable = guest();
        unable.vm().refuses = Some("no systemctl");
        unable.hear(&frame(json!({"type": "prepare"})));
        let told = heard(&mut unable).unwrap();
        assert_eq!(json!([told["state"], told["message"]]), json!(["booted", "no systemctl"]));
    }

    #[test]
    fn an_absent_host_is_told_nothing_and_hears_the_last_state_when_it_is_back() {
        let mut guest = guest();
        assert_eq!(heard(&mut guest), None);
        guest.hear(&configure(1));
        assert_eq!(state(&mut guest), "ready");
        guest.hear(&start_runner());
        guest.host_is_gone();
        assert_eq!(heard(&mut guest), None);
        guest.vm().ended = Some(Ended { exit_code: Some(0), ..Ended::default() });
        guest.look_after_runner();
        assert_eq!(heard(&mut guest), None);
        guest.host_is_here();
        assert_eq!(state(&mut guest), "ended");
        // It came back so quickly that nobody saw it go.
        guest.hear(&hello());
        assert_eq!(state(&mut guest), "ended");
    }

    #[test]
    fn a_host_that_is_still_there_is_told_once() {
        let mut guest = guest();
        guest.host_is_here();
        assert_eq!(state(&mut guest), "booted");
        guest.host_is_here();
        assert_eq!(heard(&mut guest), None);
    }

    #[test]
    fn half_a_frame_of_a_host_that_is_gone_does_not_spoil_the_next_ones() {
        let mut guest = guest();
        guest.hear(&configure(1)[..40]);
        guest.host_is_gone();
        guest.hear(&configure(2));
        assert_eq!(state(&mut guest), "ready");
    }

    #[test]
    fn the_same_orders_again_are_answered_and_not_obeyed_again() {
        let mut guest = guest();
        for _ in 0..2 {
            guest.hear(&configure(1));
            assert_eq!(state(&mut guest), "ready");
        }
        for _ in 0..2 {
            guest.hear(&start_runner());
            assert_eq!(state(&mut guest), "running");
        }
        guest.vm().ended = Some(Ended { exit_code: Some(0), ..Ended::default() });
        guest.look_after_runner();
        guest.hear(&start_runner());
        assert_eq!(state(&mut guest), "ended");
        assert_eq!(guest.vm().log, ["configure vm", "start shell t"]);
    }

    #[test]
    fn a_configuration_of_another_time_is_applied_also_while_the_runner_runs() {
        let mut guest = guest();
        guest.hear(&configure(1));
        guest.hear(&start_runner());
        guest.hear(&configure(2));
        assert_eq!(state(&mut guest), "running");
        assert_eq!(guest.vm().log, ["configure vm", "start shell t", "configure vm"]);
    }

    #[test]
    fn an_unknown_type_is_ignored_and_an_unreadable_frame_is_answered_with_the_state() {
        let mut guest = guest();
        guest.hear(&hello());
        heard(&mut guest);
        guest.hear(&frame(json!({"type": "dance", "tempo": 3})));
        assert_eq!(heard(&mut guest), None);
        guest.hear(&0x0001_0001_u32.to_be_bytes());
        assert_eq!(state(&mut guest), "booted");
        assert!(guest.vm().log.iter().any(|line| line.contains("over the limit")), "{:?}", guest.vm().log);
        guest.hear(&configure(1));
        assert_eq!(state(&mut guest), "ready");
    }

    #[test]
    fn what_cannot_be_done_is_told_with_its_reason() {
        let mut guest = guest();
        guest.vm().refuses = Some("no eth0");
        guest.hear(&configure(1));
        let told = heard(&mut guest).unwrap();
        assert_eq!(json!([told["state"], told["message"]]), json!(["booted", "no eth0"]));
        guest.vm().refuses = None;
        guest.hear(&configure(1));
        assert!(heard(&mut guest).unwrap().get("message").is_none(), "the same order again is tried again");
        guest.vm().refuses = Some("no runner");
        guest.hear(&start_runner());
        let told = heard(&mut guest).unwrap();
        assert_eq!(json!([told["state"], told["exitCode"], told["message"]]), json!(["ended", 255, "no runner"]));
    }

    #[test]
    fn an_agent_that_was_started_anew_goes_on_where_the_last_one_was() {
        let mut guest = Conversation::new(FakeVm::default(), "boot-1".into(), State::Running);
        guest.hear(&[hello(), start_runner()].concat());
        assert_eq!(state(&mut guest), "running");
        assert!(guest.vm().log.is_empty());
    }
}
