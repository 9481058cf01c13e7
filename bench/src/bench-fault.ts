/** Something that makes the figures of a run worthless: it ends the bench, and no figure is printed. */
export class BenchFault extends Error {
  override readonly name = 'BenchFault';
}
