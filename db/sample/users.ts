// The three people of the sample. Their passwords are in the open and are the same for everybody:
// never load them into a database that others can reach.

export interface SampleUser {
  email: string;
  /** As it is typed; whoever loads the sample hashes it. */
  password: string;
  displayName: string;
  avatarUrl: string | null;
}

export const maya = 'maya.levi@example.com';
export const daniel = 'daniel.okafor@example.com';
export const chloe = 'chloe.chen@example.com';

export const sampleUsers: readonly SampleUser[] = [
  {
    email: maya,
    password: 'sample-password-1',
    displayName: 'מאיה לוי',
    avatarUrl: 'https://avatars.example.com/maya.png',
  },
  { email: daniel, password: 'sample-password-2', displayName: 'Daniel Okafor', avatarUrl: null },
  {
    email: chloe,
    password: 'sample-password-3',
    displayName: 'Chloé Chen 陈',
    avatarUrl: 'https://avatars.example.com/chlo%C3%A9.png?size=128',
  },
];
