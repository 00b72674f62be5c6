//! The records of one replica: calls (the caller's side) and tasks (the callee's side).
//!
//! Each is in two parts (see [`Arena`]): what every request needs, and an extra for what few need.
//! (Where nothing can happen to a request that it would be needed for, both are one: see
//! [`super::plain`].)

use super::arena::Arena;
use crate::plan::{ClassId, EdgeId, InstanceId, NONE, OpId};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::Nanos;

/// The most layers around one call; the compiler refuses more.
pub const MAX_LAYERS: usize = 8;

/// An index into an arena with the life it was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id {
    /// The slot.
    pub index: u32,
    /// Its life.
    pub life: u32,
}

impl Id {
    /// No record.
    pub const NONE: Id = Id { index: NONE, life: 0 };
}

/// Who waits for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A user's visit (index of the visit).
    Visit(u32),
    /// A plain stream; nobody waits.
    Stream,
    /// A task of another component.
    Task(Id),
    /// A health probe of this instance.
    Probe(InstanceId),
    /// The call that this one is a copy of (a hedge).
    Copy(Id),
    /// A plain request, which serves on meanwhile.
    Plain(u32),
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// Waits for a connection of the caller's pool.
    WaitsForConnection,
    /// An attempt is out.
    Out,
    /// Waits before it goes on (back-off, token).
    Pauses,
    /// Its attempts are over; a fallback takes its time.
    FallsBack,
    /// Its own attempt is over; copies of it are waited for. A copy that waits for a late answer.
    Holds,
}

/// Copies of a call that its hedge has sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct HedgeRound {
    /// A round is going on: an outcome is waited for. At a copy: it is out.
    pub open: bool,
    /// The next copy goes at this very moment.
    pub due: bool,
    /// Copies sent in this round.
    pub sent: u8,
    /// Copies out.
    pub out: u8,
    /// Number that the event for the next copy must carry.
    pub timer: u16,
    /// Copies made in all rounds: keys of their luck.
    pub made: u16,
    /// Attempts that copies made, over all rounds.
    pub attempts: u16,
}

/// What a request is, for all calls that are made on its behalf.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    /// Its class, or [`NONE`] for probes. The client is the class's.
    pub class: ClassId,
    /// The user, or [`NONE`] for plain streams.
    pub user: u32,
    /// The key it carries.
    pub key: u32,
}

/// All calls.
pub type Calls = Arena<Call, CallExtra>;
/// All tasks.
pub type Tasks = Arena<Task, TaskExtra>;

/// A call: one request of a caller on one edge, with all its attempts.
#[derive(Debug, Clone)]
pub struct Call {
    /// The call site.
    pub edge: EdgeId,
    /// Who waits.
    pub caller: Caller,
    /// The calling instance, or [`NONE`].
    pub from: InstanceId,
    /// What it is for.
    pub identity: Identity,
    /// The luck of this call; attempts have theirs below it.
    pub luck: Luck,
    /// Attempts so far (the number of the one that is out).
    pub attempt: u16,
    /// Number that the end of the present pause must carry.
    pub turn: u16,
    /// Where it stands.
    pub state: CallState,
    /// Whether the attempt has a connection of the caller's pool.
    pub connected: bool,
    /// A layer wants no further attempt.
    pub is_final: bool,
    /// How the last attempt ended.
    pub last: Option<Status>,
    /// The layer at which it goes on after a pause.
    pub resume_layer: u8,
    /// Endpoint at the callee.
    pub endpoint: u32,
    /// When the call began.
    pub began: Nanos,
    /// When the attempt that is out was sent.
    pub sent: Nanos,
    /// The attempt that is out.
    pub task: Id,
    /// The instance that the attempt went to.
    pub target: InstanceId,
}

/// What a call keeps that has layers around it which act.
#[derive(Debug, Clone)]
pub struct CallExtra {
    /// The last pause of a retry.
    pub pause: Nanos,
    /// One number kept by each layer.
    pub memos: [u32; MAX_LAYERS],
    /// Copies, where a hedge is around the call.
    pub hedge: HedgeRound,
    /// The newest copy. At a copy: the next older one of the same call.
    pub copies: Id,
}

impl Default for Call {
    /// A new call of nobody: what stands in a slot before its first one.
    #[inline(always)]
    fn default() -> Call {
        Call {
            edge: NONE,
            caller: Caller::Stream,
            from: NONE,
            identity: Identity { class: NONE, user: NONE, key: NONE },
            luck: Luck::new(0),
            attempt: 0,
            turn: 0,
            state: CallState::Pauses,
            connected: false,
            is_final: false,
            last: None,
            resume_layer: 0,
            endpoint: NONE,
            began: 0,
            sent: 0,
            task: Id::NONE,
            target: NONE,
        }
    }
}

impl Default for CallExtra {
    fn default() -> CallExtra {
        CallExtra {
            pause: 0,
            memos: [0; MAX_LAYERS],
            hedge: HedgeRound::default(),
            copies: Id::NONE,
        }
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// On its way to the instance.
    Travels,
    /// In the waiting line for a worker.
    Waits,
    /// A work step or a wait is going on.
    Works,
    /// A call is out.
    Calls,
    /// Branches are out.
    Forks,
    /// Holds what it holds, for ever (until its process is replaced).
    Hangs,
}

/// A task: an attempt at its callee, or a branch of one.
#[derive(Debug, Clone)]
pub struct Task {
    /// The call that waits for the answer; stale when the caller has given up. [`Id::NONE`] for
    /// branches.
    pub call: Id,
    /// The call that it has out.
    pub child: Id,
    /// The instance.
    pub instance: InstanceId,
    /// The next operation.
    pub op: OpId,
    /// The endpoint.
    pub endpoint: u32,
    /// Number that the scheduled event of this task must carry.
    pub epoch: u32,
    /// Number of the attempt in its call.
    pub attempt: u16,
    /// Where it stands.
    pub state: TaskState,
    /// Whether it holds a worker.
    pub holds_worker: bool,
    /// Whether its answer is degraded at best.
    pub degraded: bool,
    /// Whether the work on its CPU or clock is frozen: `until` is then what is left.
    pub frozen: bool,
    /// Whether its work is on the instance's CPU, and not on the clock.
    pub on_cpu: bool,
    /// Whether it is a branch of another task, which its extra names.
    pub is_branch: bool,
    /// Whether a bug has changed how it goes on, as its extra says.
    pub is_struck: bool,
    /// What it is for.
    pub identity: Identity,
    /// Luck of this attempt.
    pub luck: Luck,
    /// When it came to the instance.
    pub came: Nanos,
    /// When the present work ends, or (frozen) how much of it is left.
    pub until: Nanos,
    /// Its work so far, at full speed and alone.
    pub work: Nanos,
}

/// What a task keeps that bugs have struck, that has branches or is one.
#[derive(Debug, Clone)]
pub struct TaskExtra {
    /// The task that this one is a branch of.
    pub parent: Id,
    /// Its work takes so many times longer (bugs).
    pub slow: f64,
    /// Branches that must still end well, and branches out.
    pub fork: (u16, u16),
    /// Number of the fork that it waits for, and of the one that it is a branch of: branches left
    /// over from an earlier fork count for no other.
    pub fork_number: (u32, u32),
    /// How often the present call is made again (a bug's loop).
    pub again: u32,
    /// The lane of the pause before each of those.
    pub again_lane: u32,
}

impl Default for Task {
    /// A new task of nobody: what stands in a slot before its first one.
    #[inline(always)]
    fn default() -> Task {
        Task {
            call: Id::NONE,
            child: Id::NONE,
            instance: NONE,
            op: NONE,
            endpoint: NONE,
            epoch: 0,
            attempt: 0,
            state: TaskState::Travels,
            holds_worker: false,
            degraded: false,
            frozen: false,
            on_cpu: false,
            is_branch: false,
            is_struck: false,
            identity: Identity { class: NONE, user: NONE, key: NONE },
            luck: Luck::new(0),
            came: 0,
            until: 0,
            work: 0,
        }
    }
}

impl Default for TaskExtra {
    fn default() -> TaskExtra {
        TaskExtra {
            parent: Id::NONE,
            slow: 1.0,
            fork: (0, 0),
            fork_number: (0, 0),
            again: 0,
            again_lane: NONE,
        }
    }
}

impl Task {
    /// Whether it counts as a request present in its instance: branches do not, nor does a refusal
    /// that is being worked on, nor what is still on its way.
    #[inline]
    pub fn is_present(&self) -> bool {
        let refuses = self.op >= super::task::REFUSES && self.op != NONE;
        !self.is_branch && !refuses && self.state != TaskState::Travels
    }
}
