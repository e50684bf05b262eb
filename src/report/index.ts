/** Reports on runs: pages of HTML from plain data, tables and curves for the terminal. */
export { type ComparedRun, comparisonData, comparisonPage, comparisonText } from './comparison.ts';
export type { EpochFigures, StageHistory } from './curves.ts';
export type { SavedTensor } from './insides.ts';
export { type Observation, observe } from './observe.ts';
export { type RunReport, runPage } from './run-page.ts';
export { figureText, short } from './scale.ts';
export { type SearchReport, searchPage } from './search-page.ts';
export { type TerminalCurve, terminalCurve } from './terminal-curve.ts';
