/** The lectures' digit net: three convolutions with batch normalisation and two dense layers; 180,880 parameters for 28×28×1 images. */
import * as nn from '../nn/index.ts';

/** [N, 28, 28, 1] → logits [N, classes] */
export const lenet = ({ classes = 10 }: { readonly classes?: number } = {}): nn.Sequential =>
  // biome-ignore format: a line per stage
  nn.sequential(
    nn.conv2d(16, 3, { padding: 1 }), nn.batchNorm(), nn.relu(), nn.maxPool2d(2), // [N, 14, 14, 16]
    nn.conv2d(32, 3, { padding: 1 }), nn.batchNorm(), nn.relu(), nn.maxPool2d(2), // [N, 7, 7, 32]
    nn.conv2d(64, 3, { padding: 1 }), nn.batchNorm(), nn.relu(), // [N, 7, 7, 64]
    nn.flatten(), nn.linear(50), nn.relu(), nn.linear(classes),
  );
