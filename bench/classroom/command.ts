/** The command line. */
import { Command } from 'commander';
import { matrixCommand } from './matrix-command.ts';
import { runCommand } from './run-command.ts';

export const classroomCommand = (): Command =>
  new Command('classroom')
    .description('viewers behind one slow line, measured; needs Linux, root, iproute2, nftables, ffmpeg and Chromium')
    .addCommand(runCommand(), { isDefault: true })
    .addCommand(matrixCommand());
