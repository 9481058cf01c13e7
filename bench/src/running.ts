/** Something with processes of its own. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** What the bench has running now, so that Ctrl-C in the middle of a round ends it too. */
export class Running {
  private readonly things = new Set<Stoppable>();

  /** Starts something, works with it, and stops it, whatever happens. */
  async use<Thing extends Stoppable, Result>(
    start: () => Promise<Thing>,
    work: (thing: Thing) => Promise<Result>,
  ): Promise<Result> {
    const thing = await start();
    this.things.add(thing);
    let result: Result;
    try {
      result = await work(thing);
    } catch (error) {
      await this.stop(thing).catch(() => {}); // what went wrong first is what matters
      throw error;
    }
    await this.stop(thing);
    return result;
  }

  /** Stops all there is; what fails to stop does not keep the rest from it. */
  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.things].map((thing) => this.stop(thing)));
  }

  private stop(thing: Stoppable): Promise<void> {
    this.things.delete(thing);
    return thing.stop();
  }
}
