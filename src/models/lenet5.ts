/** LeNet-5 in its modern form (LeCun et al. 1998, with full connections and a softmax head); 61,706 parameters for 28×28×1 images. */
import * as nn from '../nn/index.ts';

/** [N, 28, 28, 1] → logits [N, classes] */
export const lenet5 = ({ classes = 10 }: { readonly classes?: number } = {}): nn.Sequential =>
  // biome-ignore format: a line per stage
  nn.sequential(
    nn.conv2d(6, 5, { padding: 2 }), nn.tanh(), nn.avgPool2d(2), // [N, 14, 14, 6]
    nn.conv2d(16, 5), nn.tanh(), nn.avgPool2d(2), // [N, 5, 5, 16]
    nn.flatten(), nn.linear(120), nn.tanh(), nn.linear(84), nn.tanh(), nn.linear(classes),
  );
