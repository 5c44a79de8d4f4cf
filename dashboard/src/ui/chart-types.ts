// What the chart is given; apart, so that the pages do not load the chart with it.

export interface Point { start: string; value: number }

export interface ChartProps { points: Point[]; previous: Point[] | undefined; show: (value: number) => string; showAxis: (value: number) => string; label: string }

/** The wall-clock time that a label shows, as if it were UTC. */
export const wall = (label: string): Date => new Date(`${label.slice(0, 19)}Z`);

export function bucketMs(points: readonly { start: string }[]): number {
  const [first, second] = points;
  return first && second ? wall(second.start).getTime() - wall(first.start).getTime() : 86_400_000;
}
