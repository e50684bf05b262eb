/** The hook by which a function that is being recorded (compile, scan) sees variables and random draws instead of the outer world. */
import type { Node } from '../graph/node.ts';
import type { VariableState } from './values.ts';

export interface Recorder {
  readonly of: string;
  readonly readVariable: (state: VariableState) => Node;
  readonly assignVariable: (state: VariableState, value: Node) => void;
  /** The key of the next random draw, int32 [2]. */
  readonly nextKey: () => Node;
}

let current: Recorder | undefined;

export const currentRecorder = (): Recorder | undefined => current;

export function withRecorder<T>(recorder: Recorder, body: () => T): T {
  const outer = current;
  current = recorder;
  try {
    return body();
  } finally {
    current = outer;
  }
}
