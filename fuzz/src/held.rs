//! Which objects clients hold, and who judges that: calls that were written down once, played in any
//! order, by other clients, on other objects, with any value of them changed and any part damaged.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use vshark::bytes::{FrameNo, Guid, Side, Time};
use vshark::call::{Call, Outcome, Readable};
use vshark::ndr::{Data, Decoded, Value};
use vshark::objects::{Holder, Moved, Origin, Phase, Table, Use};
use vshark::pipeline::{Around, Event, What};
use vshark::rpc::{ChannelId, Ending, SyntaxId};
use vshark::scenario::Scenario;

use super::talk::{captured, judge_events};
use super::{REGISTRY, Script, address};

/// What is played: every method of every interface, and what may become of it.
const TALK: &str = "dcom
A activates ->m1
A:m1.QVSS(P,0x1D)=0->e1; A:e1.Next(2)=0->[VA,VB]; A:e1.Next(1)=S_FALSE->[]
A:m1.QSBV(VA,P)=0->s1; A:s1.Next(8)=S_FALSE->[S1,{S2,count=2,set=X1}]; A:s1.Reset()=0
A:s1.Clone()=0->c1; A:c1.Skip(1)=0; A:c1.Next(1)=0->[S2]; A:s1.Skip(9)=S_FALSE
A:m1.GPMI(P,Diff)=0->d1; A:d1.QVSD(VA)=0->e2; A:e2.Next(2)=0->[VA,{VB,free=0,total=4TB}]
A:d1.ADD(VA,VB,10GB)=0; A:d1.CHG(VA,VB,20GB)=VSS_E_INSUFFICIENT_STORAGE; A:d1.CHG(VA,VB,30GB)=0
A:d1.QDAF(VA)=0->e3; A:e3.Next(4)=S_FALSE->[(VA,VB),{VC,VB,max=-1,alloc=2GB,used=1GB}]
A:d1.QDAO(VB)=0->e4; A:e4.Next(1)=0->[(VA,VB)]; A:e4.Clone()=0->c4; A:c4.Reset()=0
A:qi(m1,[Mgmt,Diff])=S_FALSE->m2,null; A:addref(m1,3); A:addref({m1,private=1})
A:ping(add=[m1,e1])=0->g1; A:ping(g1,add=[e2],del=[e1]); A:simpleping(g1)=0
A:simpleping(g1)=OR_INVALID_SET; A:resolve(m1)=0; A:alive()=0
A:release(e1 x2); A:release({m1,public=0,private=1}); A:release(e1,e2,e3,e4,s1,c1,c4); A:release(m1,d1)
A activates {iids=[Mgmt,IUnknown], level=impersonate, refs=1} ->m3,u1
A activates {via=IActivation} ->m4; A:m4.QVSS()=0->e5{refs=1,flags=0x1000}; A:m4.QVSS()=0->e6{same=e5}
A activates {via=RemoteGetClassObject} ->f1; A:f1.CreateInstance(Mgmt)=0->m5
A activates =E_ACCESSDENIED; A:m4.QVSS()=fault 5; A:m4.QVSS()=0->null; A:e5.Next(1)=0->[{Type=1,disc=3}]
A:m4.QVSS()=0->e7{objref=custom}; A:e5.Next(4)=0->[VA,VB] max=2 fetched=3; A:m4.QSBV('C:\\',P)=0->s9
A:?e9.Next(1)=0->[VA]; A:?s8.Next(1)=0->[S1]; A:release(e5,m4)
A disconnect";

/// That, and all that can be put in place of something else.
struct Played {
    calls: Vec<Call>,
    around: Vec<Around>,
    /// Whose calls, and identifiers of every kind.
    guids: Vec<Guid>,
    numbers: Vec<u64>,
}

static PLAYED: LazyLock<Played> = LazyLock::new(|| {
    let scenario = Scenario::parse("talk", TALK, &REGISTRY).expect("it is well written");
    let mut file = Vec::new();
    scenario.write(&mut file).expect("memory takes it");
    let (mut calls, mut around) = (Vec::new(), Vec::new());
    for event in captured(&file) {
        match event {
            Event::Call(call) => calls.push(*call),
            Event::Around(event) => around.push(*event),
            Event::Asked(_) | Event::Unit(_) => {}
        }
    }
    let (mut guids, mut numbers) = (BTreeSet::from([Guid::nil()]), BTreeSet::new());
    for call in &mut calls {
        guids.extend(call.rpc.object);
        each(call, &mut |value| match &value.data {
            Data::Guid(guid) => drop(guids.insert(*guid)),
            Data::Number(number) => drop(numbers.insert(number.bits)),
            _ => {}
        });
    }
    numbers.extend([0, 1, 2, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX.into(), u64::MAX]);
    let (guids, numbers) = (guids.into_iter().collect(), numbers.into_iter().collect());
    Played { calls, around, guids, numbers }
});

/// Every value of a call that has no others in it, and every list and pointer as well.
fn each(call: &mut Call, with: &mut dyn FnMut(&mut Value)) {
    for stub in [&mut call.request, &mut call.response] {
        let Some(Decoded { params, ret, .. }) = &mut stub.decoded else { continue };
        params.iter_mut().map(|(_, value)| value).chain(ret).for_each(|value| inside(value, with));
    }
}

fn inside(value: &mut Value, with: &mut dyn FnMut(&mut Value)) {
    match &mut value.data {
        Data::Record(record) => {
            record.fields.iter_mut().for_each(|(_, value)| inside(value, with));
        }
        Data::Union(union) => {
            inside(&mut union.tag, with);
            union.arm.iter_mut().for_each(|(_, value)| inside(value, with));
        }
        Data::Interface(pointer) => {
            pointer.object.iter_mut().for_each(|object| inside(object, with));
            with(value);
        }
        Data::Pointer(pointer) => {
            inside(&mut pointer.to, with);
            with(value);
        }
        Data::List(list) => {
            list.items.iter_mut().for_each(|value| inside(value, with));
            with(value);
        }
        _ => with(value),
    }
}

/// Puts something else in place of the n-th value.
fn change(call: &mut Call, n: usize, how: u8) {
    let mut count = 0;
    each(call, &mut |_| count += 1);
    let (mut at, wanted) = (0, n % count.max(1));
    each(call, &mut |value| {
        if at == wanted {
            put(value, how);
        }
        at += 1;
    });
    let ret = call.response.decoded.as_ref().and_then(|decoded| decoded.ret.as_ref());
    if let Some(status) = ret.and_then(Value::as_u32).filter(|_| call.status.is_some()) {
        let failed = status & 0x8000_0000 != 0;
        call.outcome = if failed { Outcome::Failed } else { Outcome::Ok };
        call.status = Some(status);
    }
}

fn put(value: &mut Value, how: u8) {
    let at = usize::from(how);
    match &mut value.data {
        Data::Guid(guid) => *guid = PLAYED.guids[at % PLAYED.guids.len()],
        Data::Number(number) => {
            let bits = PLAYED.numbers[at % PLAYED.numbers.len()];
            number.bits = bits & (u64::MAX >> (64 - 8 * u32::from(number.width.clamp(1, 8))));
        }
        Data::List(list) if how & 1 == 0 => list.items.truncate(at / 2),
        Data::List(list) => list.items.extend(list.items.clone().into_iter().take(at)),
        Data::Interface(pointer) if how & 1 == 0 => pointer.object = None,
        _ => value.data = if how & 1 == 0 { Data::Null } else { Data::Unread },
    }
}

/// What is played so far.
struct Play<'a> {
    script: Script<'a>,
    now: i64,
    n: u64,
    events: Vec<Event>,
    waiting: Vec<Call>,
}

impl Play<'_> {
    fn step(&mut self) -> Option<()> {
        let (kind, how) = (self.script.u8()?, self.script.u8()?);
        self.now += 100_000_000;
        match kind {
            0..=0xdf => self.call(usize::from(kind), how),
            0xe0..=0xef => self.around(usize::from(kind & 15), how),
            _ => self.answer(usize::from(how)),
        }
        Some(())
    }

    /// One of the calls, with what the bits of `how` say changed: octets follow for each.
    fn call(&mut self, of: usize, how: u8) {
        let mut call = PLAYED.calls[of % PLAYED.calls.len()].clone();
        self.n += 1;
        (call.rpc.n, call.rpc.channel) = (self.n, ChannelId(u64::from(how >> 7)));
        if how & 1 != 0 {
            call.client.addr.set_ip(address(2, 0).ip());
        }
        if how & 4 != 0 {
            let step = i64::from(self.script.u8().unwrap_or(0));
            self.now = self.now.saturating_add(step.pow(3) * 1_000_000);
        }
        if how & 8 != 0 {
            let of = usize::from(self.script.u8().unwrap_or(0));
            call.rpc.object = PLAYED.guids.get(of).copied();
        }
        if how & 16 != 0 {
            let changes = self.script.u8().unwrap_or(0) % 8;
            for _ in 0..=changes {
                let (Some(at), Some(with)) = (self.script.u16(), self.script.u8()) else { break };
                change(&mut call, at.into(), with);
            }
        }
        if how & 32 != 0 {
            let (what, with) = (self.script.u8().unwrap_or(0), self.script.u8().unwrap_or(0));
            damage(&mut call, what, with);
        }
        self.date(&mut call, 0);
        self.events.push(Event::Asked(Box::new(call.clone())));
        self.waiting.push(call);
        if how & 2 == 0 {
            self.answer(self.waiting.len() - 1);
        }
    }

    /// One of those that wait is over.
    fn answer(&mut self, of: usize) {
        if self.waiting.is_empty() {
            return;
        }
        let mut call = self.waiting.remove(of % self.waiting.len());
        self.date(&mut call, 1);
        self.events.push(Event::Call(Box::new(call)));
    }

    /// Gives a request, or an answer, the time that it is, and frames of its own.
    fn date(&self, call: &mut Call, side: u64) {
        let time = Time::from_nanos(i128::from(self.now) + i128::from(side) * 1_000_000);
        let client = call.client.addr;
        let message = if side == 0 { &mut call.rpc.request } else { &mut call.rpc.response };
        if let Some(message) = message {
            (message.time, message.ends.client) = (time, client);
            message.frames = vec![FrameNo(call.rpc.n * 2 + side)];
        }
        if side == 0 || call.rpc.request.is_none() {
            call.time = time;
        }
    }

    /// Something beside the calls.
    fn around(&mut self, of: usize, how: u8) {
        let mut around = PLAYED.around[of % PLAYED.around.len()].clone();
        around.time = Time::from_nanos(i128::from(self.now));
        around.what = match of {
            0..=2 => What::Lost,
            3 | 4 => {
                let by = [None, Some(Side::Client), Some(Side::Server)][usize::from(how % 3)];
                let reset = how & 0x40 != 0;
                What::ChannelClosed { channel: ChannelId(u64::from(how >> 7)), by, reset }
            }
            _ => around.what,
        };
        self.events.push(Event::Around(Box::new(around)));
    }
}

/// What the wire does to a call.
fn damage(call: &mut Call, what: u8, with: u8) {
    let unread = [Readable::Sealed, Readable::Truncated, Readable::Lost, Readable::Malformed];
    let stub = if with & 1 == 0 { &mut call.request } else { &mut call.response };
    match what % 8 {
        0 | 1 => {
            stub.readable = unread[usize::from(with >> 1 & 3)];
            if with & 8 != 0 {
                stub.decoded = None;
            }
            (call.status, call.outcome) = (None, Outcome::Unknown);
        }
        2 => {
            (call.rpc.response, call.rpc.ending) = (None, Ending::NoAnswer);
            (call.status, call.outcome) = (None, Outcome::NoResponse);
            (call.response.readable, call.response.decoded) = (Readable::Absent, None);
        }
        3 => {
            let codes = [5, 0x1c01_0002, 0x8001_0108, 0x1c01_000b];
            call.rpc.ending = Ending::Fault(codes[usize::from(with & 3)]);
            (call.status, call.outcome) = (None, Outcome::Fault);
            (call.response.readable, call.response.decoded) = (Readable::Absent, None);
        }
        4 => {
            (call.rpc.request, call.outcome) = (None, Outcome::NoRequest);
            (call.request.readable, call.request.decoded) = (Readable::Absent, None);
        }
        5 => call.rpc.near_loss = true,
        6 => call.rpc.opnum = (with < 0xf0).then(|| u16::from(with % 9)),
        _ => {
            let other = &PLAYED.calls[usize::from(with) % PLAYED.calls.len()];
            let interface: Option<SyntaxId> = other.rpc.interface.filter(|_| with < 0xf0);
            call.rpc.interface = interface;
            call.interface = interface.and_then(|_| other.interface.clone());
        }
    }
}

/// How to judge, and what is played.
pub(super) fn held(data: &[u8]) {
    /// Events of an input, so that it takes milliseconds.
    const MOST: usize = 256;
    let Some((flags, script)) = data.split_first() else { return };
    let script = Script(script);
    let mut play = Play {
        script,
        now: 1_700_000_000_000_000_000,
        n: 0,
        events: Vec::new(),
        waiting: Vec::new(),
    };
    while play.events.len() < MOST && play.step().is_some() {}
    while !play.waiting.is_empty() {
        play.answer(0);
    }
    assert_eq!(tabled(&play.events), tabled(&play.events), "the same calls make the same table");
    judge_events(flags >> 1, &play.events);
    if flags & 1 != 0 {
        flood(&play.events, *flags);
    }
}

/// What a table says of each call.
fn tabled(events: &[Event]) -> Vec<(Use, Vec<Moved>)> {
    let mut table = Table::default();
    let (mut seen, mut said) = (BTreeSet::new(), Vec::new());
    for event in events {
        match event {
            Event::Call(call) => {
                let stands = table.stands(call);
                if let Use::Released { call } | Use::Invalid { call } = stands {
                    assert!(seen.contains(&call), "call {call} was not seen");
                }
                seen.insert(call.rpc.n);
                let moved = table.answered(call);
                said.push((stands, moved));
            }
            Event::Around(around) if matches!(around.what, What::Lost) => table.forget(),
            _ => {}
        }
    }
    for object in table.objects() {
        let held = |holder: &Holder| {
            let released = holder.released.is_none_or(|(call, _)| seen.contains(&call));
            assert!(holder.public >= 0 && holder.private >= 0 && released, "{holder:?}");
            // No more than a few calls of `u32::MAX` each can be counted.
            assert!(holder.public <= i64::from(u32::MAX) * 1024, "{holder:?}");
            seen.contains(&holder.got)
        };
        assert!(object.holders.iter().all(held), "{object:?}");
        assert!(seen.contains(&object.origin.call()), "{object:?}");
        let of = matches!(object.origin, Origin::Adopted { .. });
        assert!(of || object.oid.is_some(), "{object:?}");
        if let Phase::Released { call, .. } = object.phase {
            assert!(seen.contains(&call) && !object.is_held(), "{object:?}");
        }
    }
    small(&table);
    said
}

/// A table does not grow beyond its room.
fn small(table: &Table) {
    let objects = table.objects();
    assert!(objects.len() <= 16_384 && objects.iter().all(|object| object.holders.len() <= 64));
    assert!(table.exporters().count() <= 1024);
    let told = |(_, exporter): (_, &vshark::objects::Exporter)| {
        exporter.ports.len() <= 64 && exporter.addresses.len() <= 64
    };
    assert!(table.exporters().all(told));
    let clients = [1, 2].map(|host| address(host, 0).ip());
    let sets: Vec<usize> = clients
        .into_iter()
        .flat_map(|client| table.ping_sets(client))
        .map(|set| set.oids.len())
        .collect();
    assert!(sets.len() <= 1024 && sets.iter().all(|oids| *oids <= 4096));
    // What else there is are references that came with an error, and what exporters tell.
    let holders: usize = objects.iter().map(|object| object.holders.len()).sum();
    let sets = sets.len() + sets.iter().sum::<usize>();
    let others = table.kept() - objects.len() - holders - sets - table.exporters().count();
    assert!(others <= 2 * 1024, "{others}");
}

/// The last of the calls very often, with other identifiers in it each time: all of them, or those
/// that are GUIDs.
fn flood(events: &[Event], flags: u8) {
    const TIMES: u64 = 3000;
    let calls = events.iter().filter_map(|event| match event {
        Event::Call(call) => Some(call),
        _ => None,
    });
    let mut table = Table::default();
    let mut last = None;
    for call in calls {
        table.answered(call);
        last = Some(call);
    }
    let Some(last) = last else { return };
    let mut call = last.clone();
    let before = table.kept();
    for n in 0..TIMES {
        let fresh = (n + 1) << 32 | 0x00c0_ffee;
        call.rpc.n += 1;
        if flags & 2 != 0 {
            call.rpc.object = Some(Guid::from_u128(fresh.into()));
        }
        each(&mut call, &mut |value| match &mut value.data {
            Data::Guid(guid) => *guid = Guid::from_u128(u128::from(fresh) << 8),
            Data::Number(number) if number.width == 8 && flags & 4 == 0 => number.bits = fresh,
            _ => {}
        });
        table.answered(&call);
    }
    small(&table);
    // An object, who holds it, its exporter and what that tells, a set and what is in it.
    let most = before + usize::try_from(TIMES).expect("they are few") * 6;
    assert!(table.kept() <= most, "{} of {before}", table.kept());
}
