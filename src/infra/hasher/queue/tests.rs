//! A bounded queue: what is refused, what is dropped, and who works it off.

use super::*;
use argon2::{Algorithm, Params, Version};
use std::sync::mpsc;
use tokio::task::JoinHandle;

/// Occupies the only thread of the queue until the returned sender is dropped.
async fn occupy(queue: &Arc<Queue>) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let queue = Arc::clone(queue);
    let job = tokio::spawn(async move {
        let work = move |_: &mut Memory| {
            begun.send(()).unwrap();
            assert!(released.recv().is_err());
        };
        queue.run(work).await.unwrap();
    });
    has_begun.await.unwrap();
    (release, job)
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_recovers() {
    let queue = Arc::new(Queue::start(1, 2, 8));
    let (release, occupied) = occupy(&queue).await;
    let waiting: Vec<_> = [1, 2]
        .map(|n| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.run(move |_| n).await.unwrap() })
        })
        .into();
    tokio::task::yield_now().await;
    assert_eq!(queue.len(), 2);

    for refused in [queue.must_have_room(), queue.run(|_| ()).await] {
        assert!(matches!(refused, Err(Error::Unavailable(Part::Hasher))));
    }
    assert_eq!(queue.len(), 2);

    drop(release);
    occupied.await.unwrap();
    for (job, expected) in waiting.into_iter().zip([1, 2]) {
        assert_eq!(job.await.unwrap(), expected);
    }
    assert_eq!(queue.len(), 0);
    queue.must_have_room().unwrap();
    assert_eq!(queue.run(|_| 4).await.unwrap(), 4);
}

#[tokio::test]
async fn nothing_is_done_for_a_caller_that_has_gone() {
    let queue = Arc::new(Queue::start(1, 8, 8));
    let (release, occupied) = occupy(&queue).await;
    let done = Arc::new(AtomicUsize::new(0));
    let jobs = [(); 3].map(|()| {
        let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
        tokio::spawn(async move {
            queue
                .run(move |_| done.fetch_add(1, Ordering::SeqCst))
                .await
        })
    });
    tokio::task::yield_now().await;
    assert_eq!(queue.len(), 3);
    let [gone, also_gone, stays] = jobs;
    for job in [gone, also_gone] {
        job.abort();
        assert!(job.await.unwrap_err().is_cancelled());
    }
    drop(release);
    occupied.await.unwrap();
    stays.await.unwrap().unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_panic_fails_its_job_and_not_the_thread() {
    let queue = Queue::start(1, 8, 8);
    let broken: Result<()> = queue.run(|_| panic!("on purpose")).await;
    assert!(matches!(broken, Err(Error::Internal(_))));
    assert_eq!(queue.run(|_| 1).await.unwrap(), 1);
}

#[tokio::test]
async fn jobs_run_on_named_threads_that_give_way() {
    let queue = Queue::start(1, 8, 8);
    let (name, niceness) = queue
        .run(|_| {
            let thread = rustix::thread::gettid();
            let niceness = rustix::process::getpriority_process(Some(thread)).unwrap();
            (thread::current().name().map(str::to_owned), niceness)
        })
        .await
        .unwrap();
    assert_eq!(name.as_deref(), Some("hasher-0"));
    let ours = rustix::process::getpriority_process(None).unwrap();
    assert_eq!(niceness, NICENESS.max(ours));
}

#[test]
fn memory_is_wiped_and_what_is_over_our_own_need_given_back() {
    let mut memory = Memory::keeping(8);
    let hash = |memory: &mut Memory, kib| {
        let params = Params::new(kib, 1, 1, Some(32)).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut out = [0; 32];
        memory
            .argon2(&argon2, b"password", b"saltsalt", &mut out)
            .unwrap();
        out
    };
    let first = hash(&mut memory, 8);
    let kept = memory.blocks.as_ptr();
    assert_eq!(hash(&mut memory, 8), first);
    assert_eq!(memory.blocks.as_ptr(), kept);
    assert!(
        memory
            .blocks
            .iter()
            .all(|block| block.as_ref().iter().all(|word| *word == 0))
    );

    assert_ne!(hash(&mut memory, 64), first);
    assert_eq!((memory.blocks.len(), memory.blocks.capacity()), (8, 8));
}
