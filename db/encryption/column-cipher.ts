// What is stored of a text in an encrypted column, and what a stored text says. With a key, only what was encrypted is
// read: plaintext that somebody put there is refused, but in the transition that a first encryption needs.

import { EncryptionError, InvalidArgumentError } from '../errors.ts';
import { secrets } from '../secrets.ts';
import type { Place } from './derived-keys.ts';
import { isEnvelope, nameOf, seal, unseal } from './envelope.ts';
import { isInTransition, keyMissing } from './settings.ts';

export class ColumnCipher {
  /** @param isSwitchedOn for a column that is encrypted only where that is switched on; it then needs a key */
  constructor(
    readonly place: Place,
    private readonly isSwitchedOn?: () => boolean,
  ) {}

  /** Whether its values are to be ciphertext. */
  get isOn(): boolean {
    return this.isSwitchedOn ? this.isSwitchedOn() : secrets().encryptionKeys.length > 0;
  }

  /** The envelope of a text, or undefined where plaintext is stored. @throws EncryptionError ENCRYPTION_KEY_MISSING */
  seal(text: string): string | undefined {
    if (!this.isOn) return undefined;
    const [key] = secrets().encryptionKeys;
    if (!key) throw keyMissing(`${nameOf(this.place)} is to be encrypted`);
    return seal(text, this.place, key);
  }

  /** The text of an envelope, or undefined for plaintext that may be read. @throws EncryptionError */
  unseal(stored: string): string | undefined {
    if (isEnvelope(stored)) return unseal(stored, this.place);
    this.refusePlaintext();
    return undefined;
  }

  /** @throws EncryptionError PLAINTEXT_FOUND, where what is stored must be ciphertext */
  refusePlaintext(): void {
    if (!this.isOn || isInTransition()) return;
    throw new EncryptionError(
      'PLAINTEXT_FOUND',
      `a value of ${nameOf(this.place)} is plaintext, where only what was encrypted is read`,
      'Where it is from before encryption was switched on: set MYTX_ENCRYPTION_TRANSITION=1 and run npx mytx encrypt. Else find out who put it there.',
      { ...this.place },
    );
  }

  /** What would be taken for an envelope when it is read. @throws InvalidArgumentError INVALID_TEXT */
  refuseLookalike(isLookalike: boolean): void {
    if (!isLookalike) return;
    throw new InvalidArgumentError(
      'INVALID_TEXT',
      nameOf(this.place),
      'begins like an encrypted value (mytx1.), and would be stored as plaintext; it could not be told apart',
      'Write something before it, or configure MYTX_ENCRYPTION_KEYS: encrypted, any text can be stored.',
    );
  }
}
