//! What the clients of the lab logged agrees with what their captures show.
//!
//! A log is `NAME.log` beside `NAME.pcap`. The Python clients wrote a line for every call, with its
//! lengths, its result and the first octets of the response's stub. `rpcclient` and `smbtorture`
//! wrote the shares and identifiers they were given. A line that is not understood is a failure, so
//! that nothing goes unread.

use std::path::{Path, PathBuf};
use std::slice::Iter;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::common::{self, Truth, Visible};

/// Walks through calls beside the lines of a log.
struct Reader<'a> {
    rest: Iter<'a, Json>,
    /// Values compared.
    compared: usize,
}

type Agrees = Result<(), String>;

impl<'a> Reader<'a> {
    /// The next call, whatever it is.
    fn next(&mut self) -> Result<&'a Json, String> {
        self.rest.next().ok_or_else(|| "there is no call left".to_owned())
    }

    /// The next call of `method`; others the client did not speak of.
    fn next_of(&mut self, method: &str) -> Result<&'a Json, String> {
        let found = self.rest.find(|call| call["method"] == method);
        found.ok_or_else(|| format!("there is no {method} left"))
    }

    fn same(&mut self, what: &str, seen: &Json, logged: impl Into<Json>) -> Agrees {
        let logged = logged.into();
        self.compared += 1;
        if *seen == logged {
            return Ok(());
        }
        Err(format!("{what} is {seen}, and {logged} was logged"))
    }

    /// The Python clients: `c1 SetContext op 1 in 4 out 4 rc 0x00000000 00000000`, or at the end
    /// `in 0 -> DCERPCException: rpc_x_bad_stub_data`; one of them leaves out everything but `rc`.
    fn python(&mut self, line: &str) -> Agrees {
        let mut words = line.split_whitespace().peekable();
        words.next_if(|word| matches!(*word, "c1" | "c2"));
        let method = words.next().unwrap_or_default();
        if matches!(method, "connect" | "dialect") {
            return Ok(());
        }
        let call = self.next()?;
        match method.strip_prefix("op") {
            Some(_) => self.same("the method", &call["method"], Json::Null)?,
            None => self.same("the method", &call["method"], method)?,
        }
        while let Some(word) = words.next() {
            let value = words.next().unwrap_or_default();
            let number = || value.parse::<u64>().map_err(|_| format!("{value} is no number"));
            match word {
                "op" => self.same("the opnum", &call["opnum"], number()?)?,
                "in" => {
                    self.same("the request's size", &call["stub_bytes"]["request"], number()?)?;
                }
                "out" => {
                    self.same("the response's size", &call["stub_bytes"]["response"], number()?)?;
                }
                "rc" => {
                    self.same("the status", &call["status"]["value"], value)?;
                    if let Some(hex) = words.next() {
                        self.stub(call, hex)?;
                    }
                }
                "->" => {
                    let fault = call["fault"]["name"].as_str().unwrap_or_default();
                    let logged = words.next().unwrap_or_default();
                    self.same("the fault", &fault.to_lowercase().into(), logged)?;
                }
                _ => return Err(format!("{word} is not understood")),
            }
        }
        Ok(())
    }

    /// `hex` is the response's stub, or its first octets; the values of `call` make the same.
    fn stub(&mut self, call: &Json, hex: &str) -> Agrees {
        const LOGGED_AT_MOST: usize = 32;
        let logged: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16))
            .collect::<Result<_, _>>()
            .map_err(|error| format!("{hex}: {error}"))?;
        let whole = call["stub_bytes"]["response"].as_u64() == u64::try_from(logged.len()).ok();
        if !whole && logged.len() != LOGGED_AT_MOST {
            return Err(format!("{} octets of the response are logged", logged.len()));
        }
        let made = marshal(call)?;
        self.compared += 1;
        let as_far = made.len().min(logged.len());
        if made[..as_far] != logged[..as_far] || (whole && made.len() != logged.len()) {
            return Err(format!("the response makes {made:02x?}, and {hex} was logged"));
        }
        Ok(())
    }

    /// `rpcclient`, without its prompts, and `smbtorture`.
    fn samba(&mut self, line: &str) -> Agrees {
        const SAYS_NOTHING: &[&str] = &[
            "+ ",
            "rpcclient $>",
            "result was ",
            "exit status ",
            "smbtorture ",
            "Using seed ",
            "time: ",
            "test: ",
            "success: ",
            // No bind, no call: there must be none, see `agrees`.
            "cli_rpc_pipe_open_with_creds: ",
            "do_cmd: Could not initialise FileServerVssAgent.",
        ];
        if SAYS_NOTHING.iter().any(|start| line.starts_with(start)) {
            return Ok(());
        }
        if let Some(share) = between(line, "UNC ", " supports shadow copy requests") {
            let call = self.next_of("IsPathSupported")?;
            self.same("ShareName", &call["request"]["ShareName"], share)?;
            return self.same("its answer", &call["response"]["SupportedByThisProvider"], 1);
        }
        if let Some(versions) = after(line, " supports FSRVP versions from ") {
            let call = self.next_of("GetSupportedVersion")?;
            let response = &call["response"];
            let seen = format!(
                "{} to {}",
                response["MinVersion"]["value"], response["MaxVersion"]["value"]
            );
            return self.same("the range of versions", &seen.into(), versions);
        }
        if let Some((method, status)) = failure(line) {
            let call = self.next_of(method)?;
            let status = status.split_whitespace().next().unwrap_or_default();
            return self.same("the status", &call["status"]["value"], status);
        }
        // The client does not say which fault it was.
        if let Some((method, share)) = line.split_once(" failed with UNC ") {
            let call = self.next_of(method)?;
            self.same("ShareName", &call["request"]["ShareName"], share)?;
            return self.same("the outcome", &call["outcome"], "fault");
        }
        if let Some((method, _)) = line.split_once(" failed: NT_STATUS_ACCESS_DENIED") {
            let call = self.next_of(method)?;
            return self.same("the fault", &call["fault"]["value"], "0x00000005");
        }
        self.progress(line)
    }

    /// `SET: …` and `SET(COPY): …`: a step is done.
    fn progress(&mut self, line: &str) -> Agrees {
        let (ids, said) = line.split_once(": ").ok_or("not understood")?;
        let (set, copy) = match ids.strip_suffix(')').and_then(|ids| ids.split_once('(')) {
            Some((set, copy)) => (set, Some(copy)),
            None => (ids, None),
        };
        let Some(copy) = copy else {
            let method = match said {
                "shadow-copy set created" => "StartShadowCopySet",
                "prepare completed in 0 secs" => "PrepareShadowCopySet",
                "commit completed in 0 secs" => "CommitShadowCopySet",
                "expose completed in 0 secs" => "ExposeShadowCopySet",
                "shadow-copy set marked recovery complete" => "RecoveryCompleteShadowCopySet",
                _ => return Err("not understood".to_owned()),
            };
            let call = self.next_of(method)?;
            let seen = match method {
                "StartShadowCopySet" => &call["response"]["pShadowCopySetId"],
                _ => &call["request"]["ShadowCopySetId"],
            };
            self.same("the set", seen, set)?;
            return self.same("the outcome", &call["outcome"], "ok");
        };
        let added = said
            .strip_suffix(" shadow-copy added to set")
            .or_else(|| said.strip_suffix(" added to shadow-copy set"));
        if let Some(share) = added {
            let call = self.next_of("AddToShadowCopySet")?;
            self.same("ShareName", &call["request"]["ShareName"], share)?;
            self.same("the set", &call["request"]["ShadowCopySetId"], set)?;
            return self.same("the copy", &call["response"]["pShadowCopyId"], copy);
        }
        if let Some(share) = said.strip_suffix(" shadow-copy deleted") {
            let call = self.next_of("DeleteShareMapping")?;
            self.same("ShareName", &call["request"]["ShareName"], share)?;
            self.same("the set", &call["request"]["ShadowCopySetId"], set)?;
            self.same("the copy", &call["request"]["ShadowCopyId"], copy)?;
            return self.same("the outcome", &call["outcome"], "ok");
        }
        let (exposed, of) =
            [" exposed as a snapshot of ", " is a shadow-copy of ", " is a snapshot of "]
                .iter()
                .find_map(|words| said.split_once(words))
                .ok_or("not understood")?;
        let exposed = exposed.strip_prefix("share ").unwrap_or(exposed);
        let call = self.next_of("GetShareMapping")?;
        let mapping = &call["response"]["ShareMapping"]["ShareMapping1"];
        self.same("the set", &mapping["ShadowCopySetId"], set)?;
        self.same("the copy", &mapping["ShadowCopyId"], copy)?;
        self.same("the exposed share", &mapping["ShadowCopyShareName"], exposed)?;
        let (of, made) = of.split_once(" at ").map_or((of, None), |(of, at)| (of, Some(at)));
        self.same("the share", &mapping["ShareNameUNC"], of)?;
        let Some(made) = made else { return Ok(()) };
        let time = jiff::fmt::strtime::parse("%a %b %d %H:%M:%S %Y UTC", made)
            .and_then(|parsed| parsed.to_datetime())
            .map_err(|error| format!("{made}: {error}"))?;
        self.same("CreationTimestamp", &mapping["CreationTimestamp"], format!("{time}.0000000Z"))
    }
}

/// `failed IsPathSupported response: 0x80070005 - …`,
/// `IsPathSupported failed: NT_STATUS_OK result: 0x80070005`
fn failure(line: &str) -> Option<(&str, &str)> {
    let response = line.strip_prefix("failed ").and_then(|l| l.split_once(" response: "));
    response.or_else(|| line.split_once(" failed: NT_STATUS_OK result: "))
}

fn between<'l>(line: &'l str, start: &str, end: &str) -> Option<&'l str> {
    line.strip_prefix(start)?.strip_suffix(end)
}

fn after<'l>(line: &'l str, words: &str) -> Option<&'l str> {
    line.split_once(words).map(|(_, after)| after)
}

/// The response's stub, made from its values as [MS-FSRVP] 6 has the parameters and as Samba
/// numbers referents; without what follows the first referent of a share mapping.
fn marshal(call: &Json) -> Result<Vec<u8>, String> {
    const REFERENT: u32 = 0x0002_0000;
    let response = &call["response"];
    let mut stub = Vec::new();
    let number = |json: &Json| -> Result<[u8; 4], String> {
        let number = json.as_u64().and_then(|number| u32::try_from(number).ok());
        Ok(number.ok_or_else(|| format!("{json} is no number"))?.to_le_bytes())
    };
    let guid = |json: &Json| -> Result<[u8; 16], String> {
        let guid = json.as_str().and_then(|text| text.parse::<Uuid>().ok());
        Ok(guid.ok_or_else(|| format!("{json} is no GUID"))?.to_bytes_le())
    };
    match call["opnum"].as_u64() {
        Some(0) => {
            stub.extend(number(&response["MinVersion"]["value"])?);
            stub.extend(number(&response["MaxVersion"]["value"])?);
        }
        Some(2) => stub.extend(guid(&response["pShadowCopySetId"])?),
        Some(3) => stub.extend(guid(&response["pShadowCopyId"])?),
        Some(8) => {
            stub.extend(number(&response["SupportedByThisProvider"])?);
            match response["OwnerMachineName"].as_str() {
                None => stub.extend([0; 4]),
                Some(name) => {
                    let units: Vec<u16> = name.encode_utf16().chain([0]).collect();
                    let count = u32::try_from(units.len()).map_err(|error| error.to_string())?;
                    for word in [REFERENT, count, 0, count] {
                        stub.extend(word.to_le_bytes());
                    }
                    stub.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
                    stub.resize(stub.len().next_multiple_of(4), 0);
                }
            }
        }
        Some(9) => {
            stub.extend(number(&response["ShadowCopyPresent"])?);
            stub.extend(number(&response["ShadowCopyCompatibility"]["value"])?);
        }
        Some(10) => {
            stub.extend(number(&call["request"]["Level"])?);
            let mapping = &response["ShareMapping"]["ShareMapping1"];
            if !mapping.is_null() {
                stub.extend(REFERENT.to_le_bytes());
                stub.extend(guid(&mapping["ShadowCopySetId"])?);
                stub.extend(guid(&mapping["ShadowCopyId"])?);
                return Ok(stub);
            }
            stub.extend([0; 4]);
        }
        Some(1 | 4..=7 | 11 | 12) => {}
        other => return Err(format!("opnum {other:?} has no stub")),
    }
    let status = call["status"]["value"].as_str().and_then(|status| status.strip_prefix("0x"));
    let status = status.and_then(|status| u32::from_str_radix(status, 16).ok());
    stub.extend(status.ok_or("there is no status")?.to_le_bytes());
    Ok(stub)
}

/// Compares a log with the calls of a capture; gives how many values were compared.
fn agrees(log: &Path, capture: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(log).map_err(|error| error.to_string())?;
    let export = common::export(capture);
    let mut reader = Reader { rest: export.calls.iter(), compared: 0 };
    let python = text.lines().any(|line| line.contains(" rc 0x"));
    for line in text.lines().filter(|line| !line.starts_with("exit status ")) {
        let agrees = if python { reader.python(line) } else { reader.samba(line) };
        agrees.map_err(|error| format!("{line}\n    {error}"))?;
    }
    // What a client logs in full it logs to the end.
    if python && reader.rest.len() > 0 {
        return Err(format!("{} calls are not in the log", reader.rest.len()));
    }
    if text.contains("Could not initialise FileServerVssAgent") && !export.calls.is_empty() {
        return Err("the client could not bind, and there are calls".to_owned());
    }
    Ok(reader.compared)
}

/// The log of the client that made a capture. The edited captures were made from one.
fn log_of(folder: &Path, truth: &Truth) -> PathBuf {
    let name = match truth.file.split_once('.') {
        Some((edited, _)) if edited.starts_with("i-a-") => "a-ntlm-sign-smb311",
        Some((name, _)) => name,
        None => &truth.file,
    };
    folder.join(format!("{name}.log"))
}

#[test]
fn client_logs_agree_with_the_captures() {
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let (mut wrong, mut logs, mut values) = (Vec::new(), 0, 0);
    for truth in common::shared_truth(&folder) {
        if truth.visible != Visible::Clear {
            continue;
        }
        match agrees(&log_of(&folder, &truth), &folder.join(&truth.file)) {
            Ok(compared) => {
                // A client that could not even bind had nothing to log.
                assert_eq!(compared == 0, truth.calls.is_empty(), "{}: {compared}", truth.file);
                logs += 1;
                values += compared;
            }
            Err(error) => wrong.push(format!("{}: {error}", truth.file)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{logs} captures with their logs, {values} values");
}
