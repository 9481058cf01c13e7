/** Which part of `maxmemory` is used, as Redis counts it when it refuses commands; 0 when there is no such limit. */
export function usedPart(info: string): number {
  const bytes = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const most = bytes('maxmemory');
  return most === 0 ? 0 : (bytes('used_memory') - bytes('mem_not_counted_for_evict')) / most;
}
