/**
 * Where values that are not finite come from. The step then also says of every call of a layer whether its output is finite and the gradient that comes back
 * to it, and of every parameter whether its gradient is. The first that breaks in the order of computation names the guilty layer.
 */
import { isFloating } from '../core/dtype.ts';
import { listening, Module } from '../nn/index.ts';
import type { Optimizer } from '../optim/index.ts';
import { gradients, stack, Tensor } from '../tensor/index.ts';
import type { Model } from './objective.ts';

/** What a recorded step says about itself. */
export interface AnomalyWatch {
  /** 1 where something is not finite; float32 [count]. */
  readonly flags: Tensor;
  /** The guilty one in words, from the flags' values; undefined when all is finite. */
  explain(flags: ArrayLike<number>): string | undefined;
}

interface Call {
  /** `layer 2 (linear)` */
  readonly layer: string;
  readonly path: string;
  readonly inputs: readonly unknown[];
  readonly output: Tensor;
}

const broken = (value: Tensor): Tensor => value.isFinite().all().logicalNot().cast('float32');

/** Listens to a forward pass, then takes the optimizer's step from gradients that it has looked at. */
export function watchAnomalies(model: Model): {
  listen<T>(forward: () => T): T;
  after(loss: Tensor, inputs: readonly Tensor[], optimizer: Optimizer | undefined): AnomalyWatch;
} {
  const names = new Map<object, string>(model instanceof Module ? model.modules().map(({ name, module }) => [module, name]) : []);
  const calls: Call[] = [];
  const heard = (module: object, inputs: readonly unknown[], output: unknown) => {
    if (!(output instanceof Tensor && isFloating(output.dtype))) return;
    const path = names.get(module) ?? '';
    const kind = module instanceof Module ? module.kind : module.constructor.name;
    calls.push({ layer: path === '' ? `the model (${kind})` : `layer ${path} (${kind})`, path, inputs, output });
  };
  return {
    listen: (forward) => listening(heard, forward),
    after(loss, inputs, optimizer) {
      const floating = inputs.filter(({ dtype }) => isFloating(dtype));
      const forward = [...floating, ...calls.map(({ output }) => output), loss];
      const parameters = optimizer ? model.trainableParameters() : {};
      const found = optimizer ? gradients(loss, { parameters, outputs: calls.map(({ output }) => output) }) : { parameters: {}, outputs: [] };
      optimizer?.apply(found.parameters as Readonly<Record<string, Tensor>>, model);
      const backward = [...found.outputs, ...Object.values(found.parameters)];
      return {
        flags: stack([...forward, ...backward].map(broken)),
        explain(flags) {
          const at = (start: number, count: number) => Array.from({ length: count }, (_, i) => flags[start + i] !== 0);
          const ofOutputs = at(floating.length, calls.length);
          const start = forward.length;
          return (
            explainForward(at(0, floating.length), ofOutputs, flags[forward.length - 1] !== 0, calls) ??
            explainBackward(
              at(start, found.outputs.length),
              at(start + found.outputs.length, Object.keys(found.parameters).length),
              calls,
              Object.keys(parameters),
            )
          );
        },
      };
    },
  };
}

function explainForward(inputs: readonly boolean[], outputs: readonly boolean[], loss: boolean, calls: readonly Call[]): string | undefined {
  if (inputs.includes(true)) return 'the inputs hold values that are not finite';
  const first = outputs.indexOf(true);
  if (first >= 0) return `${calls[first].layer} is the first whose output is not finite (forward pass)`;
  return loss ? 'every layer gave finite values, but the loss is not finite' : undefined;
}

/** Backwards from the loss: the first call whose own gradients break although the gradient that came to it is finite. */
function explainBackward(outputs: readonly boolean[], parameters: readonly boolean[], calls: readonly Call[], names: readonly string[]): string | undefined {
  for (let i = calls.length - 1; i >= 0; i--) {
    const { path, layer, output } = calls[i];
    if (outputs[i]) {
      const next = calls.findIndex((call, j) => j > i && call.inputs.includes(output) && !outputs[j]);
      return next < 0
        ? 'the gradient of the loss is not finite (backward pass)'
        : `${calls[next].layer} is the first whose gradient is not finite (backward pass)`;
    }
    const own = names.findIndex((name, j) => parameters[j] && name.slice(0, Math.max(0, name.lastIndexOf('.'))) === path);
    if (own >= 0) return `${layer} is the first whose gradient is not finite, that of ${names[own]} (backward pass)`;
  }
  const left = parameters.indexOf(true);
  return left < 0 ? undefined : `the gradient of ${names[left]} is not finite (backward pass)`;
}
