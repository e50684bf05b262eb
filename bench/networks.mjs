/** The networks of the workloads, built of public layers. Images are [N, H, W, C]. */
import { nn } from 'gradix';

const convBlock = (channels) => [nn.conv2d(channels, 3, { padding: 1 }), nn.batchNorm(), nn.relu()];

/** The lectures' digit net, 180,880 parameters. */
export const lenet3 = () =>
  nn.sequential(...convBlock(16), nn.maxPool2d(2), ...convBlock(32), nn.maxPool2d(2), ...convBlock(64), nn.flatten(), nn.linear(50), nn.relu(), nn.linear(10));

export const lenet5 = () =>
  nn.sequential(
    nn.conv2d(6, 5, { padding: 2 }),
    nn.tanh(),
    nn.avgPool2d(2),
    nn.conv2d(16, 5),
    nn.tanh(),
    nn.avgPool2d(2),
    nn.flatten(),
    nn.linear(120),
    nn.tanh(),
    nn.linear(84),
    nn.tanh(),
    nn.linear(10),
  );

export const mlp = () => nn.sequential(nn.linear(256), nn.relu(), nn.linear(10));

class ResidualBlock extends nn.Module {
  constructor(channels, out, stride) {
    super();
    const convolution = (size, step) => nn.conv2d(out, size, { stride: step, padding: size >> 1, bias: false });
    this.body = nn.sequential(convolution(3, stride), nn.batchNorm(), nn.relu(), convolution(3, 1), nn.batchNorm());
    this.project = stride === 1 && channels === out ? undefined : nn.sequential(convolution(1, stride), nn.batchNorm());
  }

  forward(x) {
    return this.body
      .apply(x)
      .add(this.project ? this.project.apply(x) : x)
      .relu();
  }
}

/** He et al. 2016 for CIFAR-10, with projections where the size changes. */
export function resnet20() {
  const blocks = [16, 16, 16, 32, 32, 32, 64, 64, 64].map(
    (out, i) => new ResidualBlock(i > 0 && i % 3 === 0 ? out / 2 : out, out, i > 0 && i % 3 === 0 ? 2 : 1),
  );
  return nn.sequential(nn.conv2d(16, 3, { padding: 1, bias: false }), nn.batchNorm(), nn.relu(), ...blocks, nn.globalAvgPool(), nn.linear(10));
}

/** Across-channel normalisation of Krizhevsky et al. 2012, with PyTorch's defaults: x / (1 + α · mean of x² over 5 channels)^0.75. */
function localResponseNorm(x) {
  const channels = x.shape.at(-1);
  const square = x.square().pad([
    [0, 0],
    [0, 0],
    [0, 0],
    [2, 2],
  ]);
  let sum = square.slice([0, 0, 0, 0], x.shape);
  for (let i = 1; i < 5; i++) sum = sum.add(square.slice([0, 0, 0, i], [...x.shape.slice(0, -1), channels]));
  return x.div(
    sum
      .mul(1e-4 / 5)
      .add(1)
      .pow(0.75),
  );
}

/** AlexNet with its two groups, 60,965,224 parameters. */
export class AlexNet extends nn.Module {
  constructor() {
    super();
    const pool = () => nn.maxPool2d(3, { stride: 2 });
    this.conv1 = nn.sequential(nn.conv2d(96, 11, { stride: 4 }), nn.relu());
    this.pool1 = pool();
    this.conv2 = nn.sequential(nn.conv2d(256, 5, { padding: 2, groups: 2 }), nn.relu());
    this.pool2 = pool();
    this.rest = nn.sequential(
      nn.conv2d(384, 3, { padding: 1 }),
      nn.relu(),
      nn.conv2d(384, 3, { padding: 1, groups: 2 }),
      nn.relu(),
      nn.conv2d(256, 3, { padding: 1, groups: 2 }),
      nn.relu(),
      pool(),
      nn.flatten(),
      nn.linear(4096),
      nn.relu(),
      nn.dropout(0.5),
      nn.linear(4096),
      nn.relu(),
      nn.dropout(0.5),
      nn.linear(1000),
    );
  }

  forward(x) {
    const first = this.pool1.apply(localResponseNorm(this.conv1.apply(x)));
    return this.rest.apply(this.pool2.apply(localResponseNorm(this.conv2.apply(first))));
  }
}

/** A layer of long short-term memory and a dense layer on every state: [N, T, inputs] → [N, T, classes]. */
export const lstm = ({ hidden, classes }) => nn.sequential(nn.lstm(hidden), nn.linear(classes));
